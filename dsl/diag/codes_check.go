package diag

// checkCodes documents AGG2xxx (names and types), AGG3xxx (limits) and AGG5xxx (warnings).
func checkCodes() []Info { return nil }
