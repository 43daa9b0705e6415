#!/bin/sh
# Reads files once and prints what they say: ID SEQ, ID mixed, ID unreadable. $1: the id, $2: a folder or "-", then names.
# A shell that is in a folder reads beneath that inode, wherever its path leads meanwhile.
id=$1 base=$2; shift 2
[ "$base" = - ] || cd -P "$base" 2>/dev/null || { echo "$id unreadable"; exit 0; }
all=
for name; do
  text=$(cat "$name" 2>/dev/null) || { echo "$id unreadable"; exit 0; }
  first=${text%%
*}; last=${text##*
}
  first=${first#seq }; last=${last#end }
  [ "$first" = "$last" ] && [ -n "$first" ] || { echo "$id mixed"; exit 0; }
  [ -z "$all" ] || [ "$all" = "$first" ] || { echo "$id mixed"; exit 0; }
  all=$first
done
echo "$id $all"
