"""Networks of Spiking Recurrent Cells, trained directly (De Geeter, Ernst & Drion 2023)."""
