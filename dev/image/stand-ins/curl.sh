#!/bin/sh
# The last argument is the address.
for address; do :; done
exec wget -q -O /dev/null "$address"
