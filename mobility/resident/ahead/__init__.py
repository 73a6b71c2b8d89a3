"""Cars booked ahead: find one, see the whole price, book, change, cancel."""
