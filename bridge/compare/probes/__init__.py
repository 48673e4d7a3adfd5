"""Parts of a network whose outcome a formula tells, held against a simulator."""
