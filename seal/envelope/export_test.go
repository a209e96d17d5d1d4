package envelope

// SignAWS signs a request, for a test with the signatures of another program.
var SignAWS = signAWS
