# Sourced by the scripts that run the steps of the gate, from the repository's root: keeps the time of each step.
step_began=$(date +%s)

# record NAME STATUS: adds a line to build/log/times.txt with the seconds since this file was sourced, and those that
# processors have spent (user and system) on all that this shell has waited for. Machines differ and are shared, so the
# second number is the one to compare.
record() {
  mkdir -p build/log
  # In a pipe or a substitution `times` would tell of another shell.
  times >"build/log/times.$$"
  awk -v name="$1" -v status="$2" -v wall="$(($(date +%s) - step_began))" '
    NR == 2 {
      for (field = 1; field <= 2; field++) {
        split($field, part, /[ms]/)
        processor += part[1] * 60 + part[2]
      }
      printf "%-22s %-6s %5d s %8.1f s of processor\n", name, status == 0 ? "ok" : "FAILED", wall, processor
    }' "build/log/times.$$" >>build/log/times.txt
  rm -f "build/log/times.$$"
}
