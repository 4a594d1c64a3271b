using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Live;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Titles;

/// <summary>Names a conversation after the first thing that was said in it, if it has no name.</summary>
/// <param name="GivenId">What the caller was told, which need not be a message here; null: the user's first message.</param>
internal sealed record NameSession(string SessionId, long? GivenId)
{
    public const string Kind = "assistants.name_session";

    public const int LongestMessage = 4_000;

    public static EnqueueOptions Once(string sessionId, JobOwner owner) => new() { Owner = owner, UniqueKey = sessionId };
}

internal sealed record SessionName([property: Description("At most 6 words")] string Title);

internal sealed record UnnamedSession(string SessionId, Guid OrganizationId, string Language, string Message);

internal sealed class NameSessionCortex(AssistantsDb db, SessionTitles titles, Mind mind)
    : Cortex<NameSession, UnnamedSession, SessionName>(db)
{
    private static readonly string Prompt = CortexPrompts.Of("name-session.1");

    private static readonly AnswerForm<SessionName> Form = AnswerForms.JsonOrTags(
        "session_name", AnswersJson.Default.SessionName, texts => new(texts[0]), made => [made.Title], "title");

    protected override Task<UnnamedSession?> LoadAsync(NameSession job, CancellationToken ct) => titles.FindUnnamedAsync(job, ct);

    protected override Task<SessionName> ThinkAsync(UnnamedSession subject, JobContext context, CancellationToken ct)
    {
        var material = new Material().Add("language", subject.Language).Add("message", subject.Message);
        return mind.AskAsync(
            new(subject.OrganizationId, "first_session_message", Prompt, material.ToString()) { MaxOutput = 100, Temperature = 0.5 },
            Form, context, ct);
    }

    protected override Task SaveAsync(UnnamedSession subject, SessionName thought, CancellationToken ct) =>
        titles.NameAsync(subject.SessionId, thought.Title, ct);
}

internal sealed class SessionTitles(AssistantsDb db)
{
    public async Task<UnnamedSession?> FindUnnamedAsync(NameSession job, CancellationToken ct) =>
        (await db.Database.SqlQuery<UnnamedSession>($"""
        select s.id as session_id, u.organization_id, coalesce(nullif(s.language, ''), u.language_code) as language,
          left(opening.message, {NameSession.LongestMessage}) as message
        from assistants.sessions s join assistants.users u on u.id = s.user_id
        cross join lateral (
          (select given.content #>> array[]::text[] as message from assistants.given where given.id = {job.GivenId})
          union all
          (select m.message ->> 'text' from assistants.messages m
          where {job.GivenId}::bigint is null and m.session_id = s.id and m.sender = 'user' order by m.id limit 1)
        ) opening
        where s.id = {job.SessionId} and s.title is null and not s.is_deleted and opening.message is not null
        """).ToListAsync(ct)).FirstOrDefault();

    /// <summary>False when it has a title, or is not there.</summary>
    public async Task<bool> NameAsync(string sessionId, string title, CancellationToken ct)
    {
        var shortened = ExecutionTitles.Shortened(title);
        if (await db.Database.SqlQuery<string>($"""
            update assistants.sessions set title = {shortened}
              where id = {sessionId} and title is null and not is_deleted returning user_id as "Value"
            """).ToListAsync(ct) is not [var user])
        {
            return false;
        }
        await LiveEvents.TellAsync(
            db, user, sessionId, "session_title", new JsonObject { ["title"] = shortened, ["session_id"] = sessionId }, ct);
        return true;
    }
}
