"""惠民: public benefits of a county, from the registry to the card. The rooms are listed in docs/tour.md."""
