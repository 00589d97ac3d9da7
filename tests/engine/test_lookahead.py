"""How far streams may run ahead of their readers, so that all together stay small."""

from __future__ import annotations

import threading

from speech.engine.lookahead import Lookahead


def lookahead():
    return Lookahead(budget=1000, shortest=10, longest=200)


def test_it_gives_few_streams_the_longest():
    assert lookahead().window(1) == 200
    assert lookahead().window(0) == 200


def test_it_divides_what_is_left_among_many():
    assert lookahead().window(10) == 100


def test_it_gives_everybody_the_shortest_when_nothing_is_left():
    ahead = lookahead()
    ahead.put(1000)
    assert ahead.window(1) == 10
    ahead.put(500)
    assert ahead.window(50) == 10


def test_it_counts_what_is_taken():
    ahead = lookahead()
    ahead.put(950)
    assert ahead.window(1) == 50
    ahead.take(100)
    assert ahead.held == 850
    assert ahead.window(1) == 150


def test_it_counts_right_from_many_threads():
    ahead = lookahead()

    def work():
        for _ in range(5000):
            ahead.put(3)
            ahead.take(3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ahead.held == 0
