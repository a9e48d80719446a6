// Holds the namespaces of a pod: waits until it is asked to end. Every container of a pod has processes of its own, so
// there is nothing to reap.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
