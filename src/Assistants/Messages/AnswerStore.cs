using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Live;
using Stoa.Assistants.ProducedTexts;

namespace Stoa.Assistants.Messages;

/// <summary>Writes what the assistant says, and that it could say nothing.</summary>
internal sealed class AnswerStore(AssistantsDb db, ProducedTextStore texts, TimeProvider time)
{
    /// <summary>In a transaction: the draft as a version, then the message that speaks of it.</summary>
    public async Task SaveAsync(AnswerSubject subject, Answer answer, CancellationToken ct)
    {
        var about = subject.About;
        var message = new JsonObject { ["text"] = answer.Text };
        if (answer.Marked != answer.Text)
        {
            message["text_with_tags"] = answer.Marked;
        }
        if (subject.ExecutionId is { } execution)
        {
            message["user_task_execution_pk"] = execution;
        }
        if (answer.Draft is { } draft)
        {
            var user = await db.Users.AsNoTracking().SingleAsync(row => row.Id == about.UserId, ct);
            var saved = await texts.SaveAsync(user, new(draft, answer.DraftTitle, null, subject.ExecutionId, about.SessionId, null), ct);
            message["produced_text_pk"] = saved.ProducedTextPk;
            message["produced_text_version_pk"] = saved.ProducedTextVersionPk;
        }
        await AddAsync(about.UserId, about.SessionId, message, subject.NewestId, isDraft: answer.Draft is not null, ct);
    }

    /// <summary>What a program has the assistant say. Null when there is no such session.</summary>
    public async Task<int?> SayAsync(string sessionId, JsonObject message, CancellationToken ct)
    {
        var user = await db.Sessions.Where(session => session.Id == sessionId && !session.IsDeleted)
            .Select(session => session.UserId).FirstOrDefaultAsync(ct);
        if (user is null)
        {
            return null;
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var id = await AddAsync(user, sessionId, message, answeredId: null, isDraft: message.ContainsKey("produced_text_pk"), ct);
        await transaction.CommitAsync(ct);
        return id;
    }

    /// <summary>
    /// All of his messages that wait are in error then; where there are only the values of a form, a message without words is.
    /// </summary>
    public async Task FailAsync(AnswerSubject subject, CancellationToken ct)
    {
        var (about, now) = (subject.About, time.GetUtcNow());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (subject.NewestId is { } newest)
        {
            await db.Database.ExecuteSqlAsync($"""
                update assistants.messages set in_error_at = {now}
                where session_id = {about.SessionId} and sender = 'user' and in_error_at is null and id <= {newest}
                  and id > coalesce((select max(said.answered_id) from assistants.messages said
                    where said.session_id = {about.SessionId}), 0)
                """, ct);
        }
        else
        {
            db.Add(new MessageRow
            {
                SessionId = about.SessionId, Sender = MessageSender.Mojo,
                Message = """{"text":null}""", MessageDate = now, CreatedAt = now, InErrorAt = now,
            });
            await db.SaveChangesAsync(ct);
        }
        await LiveEvents.TellAsync(db, about.UserId, about.SessionId, "error", new JsonObject { ["session_id"] = about.SessionId }, ct);
        await transaction.CommitAsync(ct);
    }

    public async Task<int> AddAsync(
        string userId, string sessionId, JsonObject message, int? answeredId, bool isDraft, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var row = new MessageRow
        {
            SessionId = sessionId, Sender = MessageSender.Mojo, Message = message.ToJsonString(),
            MessageDate = now, CreatedAt = now, AnsweredId = answeredId,
        };
        db.Add(row);
        await db.SaveChangesAsync(ct);
        message["message_pk"] = row.Id;
        row.Message = message.ToJsonString();
        await db.SaveChangesAsync(ct);
        message["session_id"] = sessionId;
        await LiveEvents.TellAsync(db, userId, sessionId, isDraft ? "draft_message" : "mojo_message", message, ct);
        return row.Id;
    }
}
