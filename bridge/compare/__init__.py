"""Do two simulators agree: exactly under frozen noise, and in their statistics."""
