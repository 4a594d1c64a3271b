using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Live;

namespace Stoa.Assistants.Titles;

/// <summary>Writes titles and summaries of executions: for the process, and for the route that is written back to.</summary>
internal sealed class ExecutionTitles(AssistantsDb db)
{
    private const int LongestTitle = 255;

    /// <param name="lastMessageId">
    /// The newest message that was known; a title that knows of a newer one is left as it is. Null: whoever calls is right.
    /// </param>
    /// <returns>False when there is no such execution, or a newer title.</returns>
    public async Task<bool> SaveAsync(int executionId, TitleAndSummary made, int? lastMessageId, CancellationToken ct)
    {
        var title = Shortened(made.Title);
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        var saved = await db.Database.SqlQuery<Titled>($"""
            with titled as (
              update assistants.task_executions
              set title = {title}, summary = {made.Summary}, summarized_message_id = coalesce({lastMessageId}, summarized_message_id)
              where id = {executionId} and deleted_at is null
                and ({lastMessageId}::integer is null or summarized_message_id is null or summarized_message_id <= {lastMessageId})
              returning session_id, user_id
            ), session_titled as (
              update assistants.sessions set title = {title} from titled where sessions.id = titled.session_id and starting_mode = 'form'
            )
            select session_id, user_id from titled
            """).ToListAsync(ct);
        if (saved is not [var execution])
        {
            return false;
        }
        await LiveEvents.TellAsync(
            db, execution.UserId, execution.SessionId, "user_task_execution_title",
            new JsonObject { ["title"] = title, ["session_id"] = execution.SessionId }, ct);
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
        return true;
    }

    // Not in the middle of a character.
    internal static string Shortened(string title) => title.Length <= LongestTitle ? title
        : char.IsHighSurrogate(title[LongestTitle - 1]) ? title[..(LongestTitle - 1)] : title[..LongestTitle];

    private sealed record Titled(string SessionId, string UserId);
}
