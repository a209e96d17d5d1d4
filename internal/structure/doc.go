// Package structure is a test only: it holds the repository to its architecture.
package structure
