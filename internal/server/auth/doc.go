// Package auth tells who a caller is: from a bearer token of a file, or from a JWT.
//
// The model: an [Authenticator] turns the credential of a request into an [Identity]: the actor,
// the roles that rules see, and the tenant that the caller is bound to. [Tokens] keeps hashes of
// random tokens in a file; [JWT] verifies signatures by a key set from a file or URL. [Chain]
// asks several. A door refuses what no authenticator knows; what an identity may do is the
// door's and the rules' matter.
//
// Secrets never appear in errors or logs.
package auth
