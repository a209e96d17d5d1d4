// Prints the challenges that an OAuth client reads in the response to a request with a token.
import { pathToFileURL } from "node:url";

const [modules, url, cookie] = process.argv.slice(2);
const oauth = await import(pathToFileURL(`${modules}/oauth4webapi/build/index.js`));
try {
  await oauth.protectedResourceRequest("token", "GET", new URL(url), new Headers({ cookie }));
  console.log("served");
} catch (err) {
  if (!(err instanceof oauth.WWWAuthenticateChallengeError)) throw err;
  console.log(JSON.stringify(err.cause));
}
