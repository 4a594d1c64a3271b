using System.Text.Json;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Messages;

/// <summary>What people put on a message. The counts on the message always equal the rows.</summary>
internal static class EmojiMarks
{
    /// <summary>What an operation adds and takes away. Pure.</summary>
    /// <param name="own">Those that the user has put on the message.</param>
    public static (string[] Added, string[] Removed) Changes(string op, string emoji, IReadOnlyCollection<string> own, bool isAuthor)
    {
        var has = own.Contains(emoji, StringComparer.Ordinal);
        var adds = !has && op != "remove";
        var opposite = emoji switch { EmojiCode.ThumbsUp => EmojiCode.ThumbsDown, EmojiCode.ThumbsDown => EmojiCode.ThumbsUp, _ => null };
        List<string> removed = [];
        if (has && op is ("remove" or "toggle"))
        {
            removed.Add(emoji);
        }
        if (adds && opposite is not null && own.Contains(opposite, StringComparer.Ordinal))
        {
            removed.Add(opposite);
        }
        // Nobody praises or blames himself.
        return (adds && !(isAuthor && opposite is not null) ? [emoji] : [], [.. removed]);
    }

    /// <summary>Adds one if it is not there, and has the message looked at when there are too many.</summary>
    public static async Task AddAsync(
        FeedbackChange change, Guid messageId, Guid userId, string emoji, TreeManagerOptions options, JobQueue queue, CancellationToken ct)
    {
        if (await LockAsync(change, messageId, userId, ct) is { } marks && !marks.Own.Contains(emoji, StringComparer.Ordinal))
        {
            Write(change, messageId, userId, [emoji], []);
            Watch(change, messageId, marks.Counts, emoji, options, queue);
        }
    }

    /// <summary>The message's counts and the user's own; the message is locked. Null when there is no such message.</summary>
    public static async Task<Marks?> LockAsync(FeedbackChange change, Guid messageId, Guid userId, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct,
            Statement.Of(
                "select emojis, user_id, deleted, message_tree_id, api_client_id from feedback.message where id = $1 for no key update",
                messageId),
            Statement.Of("select emoji from feedback.message_emoji where message_id = $1 and user_id = $2", messageId, userId));
        await using var row = await batch.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
        {
            return null;
        }
        var counts = await row.IsDBNullAsync(0, ct)
            ? []
            : JsonSerializer.Deserialize(row.GetString(0), FeedbackJson.Default.DictionaryStringInt32) ?? [];
        var marks = new Marks(
            counts, [], !await row.IsDBNullAsync(1, ct) && row.GetGuid(1) == userId, row.GetBoolean(2), row.GetGuid(3), row.GetGuid(4));
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            marks.Own.Add(row.GetString(0));
        }
        return marks;
    }

    /// <summary>The rows, and the counts out of them. The message must be locked.</summary>
    public static void Write(FeedbackChange change, Guid messageId, Guid userId, string[] added, string[] removed)
    {
        foreach (var emoji in removed)
        {
            change.Write(
                "delete from feedback.message_emoji where message_id = $1 and user_id = $2 and emoji = $3", messageId, userId, emoji);
        }
        foreach (var emoji in added)
        {
            change.Write(
                "insert into feedback.message_emoji (message_id, user_id, emoji, created_date) values ($1, $2, $3, $4) on conflict do nothing",
                messageId, userId, emoji, change.Now);
            if (emoji == EmojiCode.RedFlag)
            {
                change.Write(
                    """
                    insert into feedback.flagged_message (message_id, processed, created_date) values ($1, false, $2)
                    on conflict (message_id) do update set processed = false, created_date = $2
                    """, messageId, change.Now);
            }
        }
        if (added.Length + removed.Length > 0)
        {
            change.Write(
                """
                update feedback.message set emojis = (
                  select jsonb_object_agg(emoji, number) from (
                    select emoji, count(*) as number from feedback.message_emoji where message_id = $1 group by emoji) counted)
                where id = $1
                """, messageId);
        }
    }

    /// <summary>Moderation by numbers is a job: it may end a tree, which is not what this user is doing.</summary>
    public static void Watch(
        FeedbackChange change, Guid messageId, IReadOnlyDictionary<string, int> counts,
        string added, TreeManagerOptions options, JobQueue queue)
    {
        var now = counts.GetValueOrDefault(added) + 1;
        if (options.AutoModEnabled && ((added == EmojiCode.RedFlag && now >= options.AutoModRedFlags)
            || (added == EmojiCode.SkipReply && now >= options.AutoModMaxSkipReply)))
        {
            change.Enqueue(
                queue.Make(new ModerateMessage(messageId), new() { UniqueKey = messageId.ToString(), UniqueMode = UniqueMode.Coalesce }));
        }
    }
}

/// <param name="Own">Of the user who asks.</param>
internal sealed record Marks(
    IReadOnlyDictionary<string, int> Counts, List<string> Own, bool IsAuthor, bool IsDeleted, Guid TreeId, Guid ClientId);
