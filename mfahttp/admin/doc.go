// Package admin serves the administration of second factors: users and their factors, resets,
// locks, access codes and links, policies, requests for support and reports, as pages and as a JSON
// API. Any application mounts it in three lines:
//
//	adm, err := admin.New(admin.Config{Handler: h, Manager: m, Users: directory})
//	…
//	mux.Handle("/admin/mfa/", adm)
//
// The pages are in the frame of package mfahttp's, in its languages, and work without JavaScript.
// They begin at Config.BasePath, and the API is at "api/" below it.
//
// [Directory] is the application's list of users, of which the Handler never reads more than a
// page at a time.
//
// The application decides who administers: mfa.Config.Authorize is asked for everything that is
// read and done, with the tenant, the user and the administrator. Without the right to list the
// users of a tenant, a request learns nothing about any user, not even whether there is one. An
// administrator who may list users and not view one sees that user nowhere.
//
// Each act names the administrator and a reason in the events. It requires the administrator's
// own second factor, minutes old and at the highest level that the administrator has; otherwise
// the response is 403 with the code "step_up", as from the API of package mfahttp. No
// administrator acts on their own account.
//
// What concerns many users goes in steps. A request examines a bounded number of users, and its
// response says where the next one continues. The client adds up, shows the progress and stops
// by not asking for more. No work goes on without a request, so the steps may reach any number of
// processes, and each step of an act needs the proof again.
package admin
