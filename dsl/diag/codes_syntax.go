package diag

func syntaxCodes() []Info { return nil }
