"""The gateway process: sockets on an asyncio loop, the database in one writer thread.

admission   who may connect, and in which version
server      the listening socket, the life of a connection, start and stop
links       which connection owns which station; the newest wins
link        one connection: frames in order, one deed at a time, reply after commit
writer      the thread that commits many stations' deeds in one transaction
verbs       the services behind the deeds
courier     queued commands to the stations, woken by NOTIFY
"""
