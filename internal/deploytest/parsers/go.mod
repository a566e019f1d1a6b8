module github.com/cloudlysis/aggregate/internal/deploytest/parsers

go 1.26.8

require github.com/cloudlysis/aggregate v0.0.0

require (
	github.com/compose-spec/compose-go/v2 v2.16.2 // indirect
	github.com/google/go-containerregistry v0.22.1 // indirect
	github.com/moby/buildkit v0.34.2 // indirect
	github.com/prometheus/prometheus v0.316.0 // indirect
)

replace github.com/cloudlysis/aggregate => ../../..
