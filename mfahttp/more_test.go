package mfahttp_test

import "github.com/secondgate/secondgate/mfa"

var mfaPolicyWithoutImplicit = mfa.Policy{}
