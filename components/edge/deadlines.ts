/** How long each hop waits for a picture: each longer than the one inside it. */

/** What an answer takes besides the wait: to store the task, and to read its pictures. */
const answerSeconds = 5;

/** Until endpoints and DNS, and so those who send requests, have forgotten a pod that leaves. */
export const leaveSeconds = 10;

/** For nginx to give the api up, whose own wait ends with the task's id. */
export const proxySeconds = (maxWaitSeconds: number) => maxWaitSeconds + answerSeconds;

/** For a pod to be ended: it is forgotten, then the last request that it got is answered. */
export const graceSeconds = (maxWaitSeconds: number) =>
  leaveSeconds + proxySeconds(maxWaitSeconds) + answerSeconds;
