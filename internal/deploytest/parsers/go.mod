module github.com/cloudlysis/aggregate/internal/deploytest/parsers

go 1.26.0

require github.com/cloudlysis/aggregate v0.0.0

replace github.com/cloudlysis/aggregate => ../../..
