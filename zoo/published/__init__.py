"""Every architecture with the hyper-parameters of its paper, as far as they can be had here."""
