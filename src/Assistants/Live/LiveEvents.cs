using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Stoa.Assistants.Live;

/// <summary>Tells a user's clients what happens, on whichever host they listen.</summary>
internal static class LiveEvents
{
    internal const string Channel = "assistants_live";

    /// <summary>
    /// The last statement of the transaction of its cause: heard when that is committed, and never when it is not. Of two transactions that
    /// tell the same user one waits for the other, so that a greater id never becomes visible before a smaller one.
    /// </summary>
    /// <param name="sessionId">The room it is told in; null: all that the user has open.</param>
    public static Task TellAsync(AssistantsDb db, string userId, string? sessionId, string name, JsonObject data, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"""
            with turn as materialized (select pg_advisory_xact_lock(hashtextextended({"assistants.live:" + userId}, 0))),
            told as (
              insert into assistants.live_events (user_id, session_id, name, data)
              select {userId}, {sessionId}, {name}, {data.ToJsonString()}::jsonb from turn
              returning id
            )
            select pg_notify({Channel}, {userId}) from told
            """, ct);
}
