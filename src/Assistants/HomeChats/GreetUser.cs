using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Messages;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.HomeChats;

/// <summary>Writes what the assistant says first in the chat of a week.</summary>
internal sealed record GreetUser(int HomeChatId)
{
    public const string Kind = "assistants.greet_user";
}

internal sealed class GreetUserCortex(AssistantsDb db, AnswerStore answers, Mind mind, TimeProvider time)
    : Cortex<GreetUser, GreetUserCortex.Subject, string>(db)
{
    private const int MostExecutions = 5;
    private const int MostTodos = 10;

    private static readonly string Prompt = CortexPrompts.Of("greet-user.1");

    private static readonly AnswerForm<string[]> Form = AnswerForms.Tags("message");

    private readonly AssistantsDb db = db;

    protected override async Task<Subject?> LoadAsync(GreetUser job, CancellationToken ct) => (await db.Database.SqlQuery<Subject>($"""
        select c.session_id, c.week, u.id as user_id, u.organization_id, u.name, u.language_code as language, u.goal,
          u.company_description as company,
          u.timezone_name, u.timezone_offset,
          (select string_agg('- ' || recent.title || ': ' || coalesce(recent.summary, ''), chr(10)) from (
            select e.title, e.summary from assistants.task_executions e
            where e.user_id = u.id and e.deleted_at is null and e.started_at is not null and e.title is not null
            order by e.started_at desc, e.id desc limit {MostExecutions}) recent) as done,
          (select string_agg('- ' || d.scheduled_date || ': ' || d.description, chr(10)) from (
            select t.scheduled_date, t.description from assistants.todos t
            where t.user_id = u.id and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
            order by t.scheduled_date, t.id limit {MostTodos}) d) as todos
        from assistants.home_chats c
        join assistants.users u on u.id = c.user_id
        join assistants.sessions s on s.id = c.session_id and not s.is_deleted
        where c.id = {job.HomeChatId} and not exists (select from assistants.messages m where m.session_id = c.session_id)
        """).ToListAsync(ct)).FirstOrDefault();

    protected override async Task<string> ThinkAsync(Subject subject, JobContext context, CancellationToken ct)
    {
        var now = new LocalTime(subject.TimezoneName, subject.TimezoneOffset).At(time.GetUtcNow());
        var material = new Material()
            .Add("now", now.ToString("dddd dd MMMM yyyy, HH:mm", CultureInfo.InvariantCulture))
            .Add("week", subject.Week.ToString("'from Monday' dd MMMM yyyy", CultureInfo.InvariantCulture))
            .Add("language", subject.Language).Add("user_name", subject.Name).Add("company", subject.Company).Add("goal", subject.Goal)
            .Add("done", subject.Done).Add("todos", subject.Todos);
        var answer = await mind.AskAsync(
            new(subject.OrganizationId, "greet_user", Prompt, material.ToString()) { MaxOutput = 1_000 }, Form, context, ct);
        return answer[0];
    }

    protected override Task SaveAsync(Subject subject, string thought, CancellationToken ct) =>
        answers.AddAsync(subject.UserId, subject.SessionId, new JsonObject { ["text"] = thought }, answeredId: null, isDraft: false, ct);

    internal sealed record Subject(
        string SessionId, DateOnly Week, string UserId, Guid OrganizationId, string Name, string Language, string? Goal, string? Company,
        string? TimezoneName, int? TimezoneOffset, string? Done, string? Todos);
}
