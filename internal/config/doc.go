// Package config reads the settings of aggd.
//
// The model: one table ([Table]) has a row for each setting: its key, its environment variable,
// its flag, its default and what it is for. [Load] lays four layers over one another (defaults,
// file, environment, flags), each a flat map from key to text, fills the plain struct [Settings]
// from the result and remembers where each value came from. A key that the table does not have
// is an error with the nearest one that it has.
//
// Settings are read once and handed down as the few values that a room needs.
package config
