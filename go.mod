module github.com/hookward/hookward

go 1.26
