// Package parser turns the text of a manifest into its tree and reports what is wrong with it.
//
// A scanner of our own cuts the file into tokens, counts the nesting of brackets before anything
// recurses, and gives them to one participle PeekingLexer. Every kind of declaration has a
// participle production for its head (heads.go) that reads this PeekingLexer. Bodies, types and
// expressions are read by hand from the same tokens: a grammar engine is ten times too slow for
// them, says less when something is missing, and its parts cannot know the file they belong to.
//
// Errors are many in one run. fail reports once a token and leaves the parser standing there;
// each list (declarations, fields, statements, steps) then skips to where its next element begins.
// A declaration's word at the start of a line closes whatever is open (declAt), so a missing brace
// costs one message. What was not understood becomes a Bad node.
package parser
