"""Fetches models from the hubs that publish them. Knows nothing of Django or torch.

Why not the hubs' own libraries: huggingface_hub (since 1.18) gives every download a new temporary
name and deletes it when it fails, so nothing is resumed by the next process, and it checks the size
of what came, not its checksum; importing modelscope's downloader imports torch. Both hubs' HTTP API
states a digest for every file, so one small downloader over httpx resumes and verifies for both.
"""
