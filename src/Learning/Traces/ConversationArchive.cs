using System.Text.Json;
using Npgsql;
using Stoa.Platform.Jobs;
using Stoa.Platform.Storage;

namespace Stoa.Learning.Traces;

/// <summary>
/// All conversations in one list, <c>evals/conversations.json</c>, and beside it the list as it was before. Both are copied entry by entry:
/// neither is ever whole in memory.
/// </summary>
internal sealed class ConversationArchive(IStorage storage, NpgsqlDataSource source)
{
    // Any number will do; it must never change.
    private const long Turn = 0x53746F61_6C617263;

    private const string Now = "evals/conversations.json", Before = "evals/conversations_backup.json";

    /// <summary>Puts a day's conversations at the end, in the place of those that the list has of it.</summary>
    public async Task ReplaceAsync(DateOnly day, IAsyncEnumerable<Conversation> conversations, CancellationToken ct)
    {
        await using var turn = await TurnAsync(ct);
        await using (var old = await storage.OpenAsync(Now, ct))
        {
            if (old is not null)
            {
                await storage.WriteAsync(Before, old, SpanTable.MaxBytes, ct);
            }
        }
        var suffix = $"_{day:yyyy-MM-dd}";
        await RewriteAsync(
            Now, entry => entry.GetProperty("id").GetString()?.EndsWith(suffix, StringComparison.Ordinal) != true, conversations, ct);
    }

    /// <summary>
    /// Takes out what somebody has said, from both lists. To be called when the database has it no more: what is read there comes in.
    /// </summary>
    public async Task ForgetAsync(IReadOnlyCollection<int> users, CancellationToken ct)
    {
        await using var turn = await TurnAsync(ct);
        foreach (var name in (string[])[Now, Before])
        {
            await using (var there = await storage.OpenAsync(name, ct))
            {
                if (there is null)
                {
                    continue;
                }
            }
            await RewriteAsync(
                name, entry => !users.Contains(entry.GetProperty("metadata").GetProperty("user_id").GetInt32()), fresh: null, ct);
        }
    }

    /// <summary>
    /// One at a time in the cluster: between the reading and the writing of a list another one would bring back what this one takes out.
    /// </summary>
    private async Task<NpgsqlConnection> TurnAsync(CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct);
        try
        {
            // Given back with the connection, whose end undoes the transaction.
            await connection.BeginTransactionAsync(ct);
            await using var wait = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection)
            {
                Parameters = { new() { Value = Turn } }, CommandTimeout = 0,
            };
            await wait.ExecuteNonQueryAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task RewriteAsync(string name, Func<JsonElement, bool> keeps, IAsyncEnumerable<Conversation>? fresh, CancellationToken ct)
    {
        await using var draft = Draft.Open();
        await using (var json = new Utf8JsonWriter(draft))
        {
            json.WriteStartArray();
            await using var old = await storage.OpenAsync(name, ct);
            if (old is not null)
            {
                await foreach (var entry in JsonSerializer.DeserializeAsyncEnumerable(old, TraceJson.Default.JsonElement, ct))
                {
                    if (keeps(entry))
                    {
                        entry.WriteTo(json);
                        await json.FlushAsync(ct);
                    }
                }
            }
            if (fresh is not null)
            {
                await foreach (var conversation in fresh)
                {
                    JsonSerializer.Serialize(json, conversation, TraceJson.Default.Conversation);
                    await json.FlushAsync(ct);
                }
            }
            json.WriteEndArray();
        }
        draft.Position = 0;
        _ = await storage.WriteAsync(name, draft, SpanTable.MaxBytes, ct) ?? throw JobFailure.Dead($"{name} has become too large");
    }
}
