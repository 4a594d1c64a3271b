using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Executions;
using Stoa.Assistants.Live;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Messages;

/// <summary>
/// Takes what users say. The client's id makes a message one: sent again it is the stored one, and if no answer came, it is answered anew.
/// </summary>
internal sealed class UserMessages(AssistantsDb db, SessionStore sessions, TimeProvider time)
{
    /// <summary>Whether it was never sent before; by that a recording is listened to once.</summary>
    public async Task<bool> IsNewAsync(UserRow user, MessagesApi.NewMessage said, CancellationToken ct) =>
        await StoredAsync((await sessions.FindAsync(user.Id, said.SessionId, ct) ?? throw SessionStore.Unknown(said.SessionId)).Id,
            said.MessageId, ct) is null;

    /// <returns>The message as it is stored, in JSON.</returns>
    public async Task<string> SaveAsync(UserRow user, MessagesApi.NewMessage said, CancellationToken ct)
    {
        var session = await sessions.FindAsync(user.Id, said.SessionId, ct) ?? throw SessionStore.Unknown(said.SessionId);
        if (await StoredAsync(session.Id, said.MessageId, ct) is { } stored)
        {
            return stored.InErrorAt is null ? stored.Message : await RetryAsync(user, stored, ct);
        }
        try
        {
            return await AddAsync(user, session, said, ct);
        }
        catch (DbUpdateException twice) when (twice.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return (await StoredAsync(session.Id, said.MessageId, ct))!.Message;
        }
    }

    private Task<MessageRow?> StoredAsync(string sessionId, string messageId, CancellationToken ct) => db.Messages.FromSql($"""
        select * from assistants.messages where session_id = {sessionId} and message ->> 'message_id' = {messageId}
        """).AsNoTracking().FirstOrDefaultAsync(ct);

    private async Task<string> RetryAsync(UserRow user, MessageRow stored, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Messages.Where(message => message.Id == stored.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(message => message.InErrorAt, (DateTimeOffset?)null), ct);
        AnswerMessages.Enqueue(db, user, stored.SessionId);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return stored.Message;
    }

    private async Task<string> AddAsync(UserRow user, SessionRow session, MessagesApi.NewMessage said, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var execution = await db.TaskExecutions.Where(row => row.SessionId == session.Id && row.DeletedAt == null)
            .OrderByDescending(row => row.Id).FirstOrDefaultAsync(ct);
        if (said.ExecutionId is { } named && execution?.Id != named)
        {
            throw ExecutionsApi.Unknown(named);
        }
        var message = new JsonObject { ["text"] = said.Text, ["message_id"] = said.MessageId };
        if (said.IsSpoken)
        {
            message["audio"] = true;
        }
        if (execution is not null)
        {
            message["user_task_execution_pk"] = execution.Id;
        }
        var row = new MessageRow
        {
            // A clock that is ahead would put what is said behind its answer.
            SessionId = session.Id, Sender = MessageSender.User,
            Message = message.ToJsonString(), MessageDate = said.Date < now ? said.Date : now,
            CreatedAt = now, ReadAt = now,
        };
        db.Add(row);
        await db.SaveChangesAsync(ct);
        message["message_pk"] = row.Id;
        row.Message = message.ToJsonString();
        AnswerMessages.Enqueue(db, user, session.Id);
        await NameAsync(user, session, execution, said, ct);
        var isFirst = execution is { StartedAt: null };
        if (isFirst)
        {
            execution!.StartedAt = now;
        }
        await db.SaveChangesAsync(ct);
        if (said.IsHomeChat)
        {
            await db.HomeChats.Where(chat => chat.SessionId == session.Id && chat.StartedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(chat => chat.StartedAt, now), ct);
        }
        if (isFirst)
        {
            await LiveEvents.TellAsync(db, user.Id, session.Id, "user_task_execution_start",
                new JsonObject { ["session_id"] = session.Id, ["user_task_execution_pk"] = execution!.Id }, ct);
        }
        await LiveEvents.TellAsync(db, user.Id, session.Id, "user_message_reception",
            new JsonObject { ["session_id"] = session.Id, ["message_pk"] = row.Id, ["message_id"] = said.MessageId, ["text"] = said.Text },
            ct);
        await transaction.CommitAsync(ct);
        return row.Message;
    }

    /// <summary>What is said first gives a chat its title; what a task is about is summarized anew each time.</summary>
    private async Task NameAsync(
        UserRow user, SessionRow session, ExecutionRow? execution, MessagesApi.NewMessage said, CancellationToken ct)
    {
        var owner = JobOwners.Of(user);
        if (execution is not null)
        {
            db.Enqueue(new SummarizeExecution(execution.Id), SummarizeExecution.Once(execution.Id, owner));
        }
        else if (session.Title is null
            && await db.Messages.CountAsync(other => other.SessionId == session.Id && other.Sender == MessageSender.User, ct) == 1)
        {
            db.Enqueue(new NameSession(session.Id, GivenId: null), NameSession.Once(session.Id, owner));
        }
    }
}
