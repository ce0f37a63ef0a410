// Sends one request again and again, at the moments that standard input lists, in seconds from the
// start, and says of each how it went: one JSON object a line. Vegeta's own command sends at even
// rates, which no crowd of clients does.
//
//	attack TARGETS <MOMENTS   # TARGETS: a file as `vegeta attack -format=json` reads it
package main

import (
	"bufio"
	"log"
	"os"
	"strconv"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

type moments []time.Duration

func (m moments) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= uint64(len(m)) {
		return 0, true
	}
	return max(0, m[hits]-elapsed), false
}

func (m moments) Rate(time.Duration) float64 {
	return float64(len(m)) / m[len(m)-1].Seconds()
}

func main() {
	var all moments
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		seconds, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, time.Duration(seconds*float64(time.Second)))
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	targets, err := vegeta.ReadAllTargets(vegeta.NewJSONTargeter(file, nil, nil))
	if err != nil {
		log.Fatal(err)
	}
	attacker := vegeta.NewAttacker(vegeta.Timeout(10 * time.Minute))
	encode := vegeta.NewJSONEncoder(os.Stdout)
	for result := range attacker.Attack(vegeta.NewStaticTargeter(targets...), all, 0, "") {
		result.Body, result.Headers = nil, nil
		if err := encode(result); err != nil {
			log.Fatal(err)
		}
	}
}
