"""The bell rings seldom, however often something changes, and nobody to hear it fails nothing."""

from __future__ import annotations

import asyncio

from channels.layers import get_channel_layer

from speech.longform.news import Bell, group_of

BURST = 100_000


async def heard(layer, channel, seconds):
    count = 0
    while True:
        try:
            await asyncio.wait_for(layer.receive(channel), seconds)
        except TimeoutError:
            return count
        count += 1


async def test_a_burst_is_a_few_rings_and_the_last_is_after_its_end():
    layer, bell = get_channel_layer(), Bell()
    bell.attach()
    channel = await layer.new_channel()
    await layer.group_add(group_of("job_x"), channel)
    for number in range(BURST):
        bell.ring("job_x")
        if number % 1000 == 0:
            await asyncio.sleep(0)
    assert 1 <= await heard(layer, channel, 0.3) < 100
    bell.ring("job_x")
    assert await heard(layer, channel, 0.3) == 1
    await layer.group_discard(group_of("job_x"), channel)


async def test_it_rings_from_any_thread():
    layer, bell = get_channel_layer(), Bell()
    bell.attach()
    channel = await layer.new_channel()
    await layer.group_add(group_of("job_y"), channel)
    await asyncio.to_thread(bell.ring, "job_y")
    assert await heard(layer, channel, 0.5) == 1
    await layer.group_discard(group_of("job_y"), channel)


async def test_nobody_to_hear_it_fails_nothing(settings):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    bell = Bell()
    bell.ring("job_z")  # before anybody serves
    bell.attach()
    bell.ring("job_z")
    await asyncio.sleep(0.5)
