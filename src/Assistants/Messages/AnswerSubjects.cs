using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Executions;

namespace Stoa.Assistants.Messages;

/// <summary>A session whose user waits for an answer.</summary>
/// <param name="ExecutionId">Null in a chat that belongs to no task.</param>
/// <param name="NewestId">The newest of his messages that is known; null where only a form was filled in.</param>
/// <param name="Images">That he has filled into the form.</param>
internal sealed record AnswerSubject(
    ExecutionSubject About, int? ExecutionId, int? NewestId, string? Instructions,
    string? TitleFormat, string? DraftFormat, IReadOnlyList<InputImage> Images)
{
    /// <summary>What he said last; null where he has said nothing yet.</summary>
    public string? Question
    {
        get
        {
            using var messages = JsonDocument.Parse(About.Messages);
            return messages.RootElement.EnumerateArray().Where(message => message.GetProperty("sender").ValueEquals("user"))
                .Select(message => message.GetProperty("text").GetString()).LastOrDefault();
        }
    }
}

internal sealed class AnswerSubjects(AssistantsDb db, ExecutionSubjects executions, InputImages images)
{
    private const int MostMessages = 500;

    /// <summary>Null when nobody waits.</summary>
    public async Task<AnswerSubject?> FindAsync(string sessionId, CancellationToken ct)
    {
        if ((await db.Database.SqlQuery<Waiting>($"""
            select e.id as execution_id, t.final_instruction as instructions, t.output_format_instruction_title as title_format,
              t.output_format_instruction_draft as draft_format, newest.id as newest_id
            from assistants.sessions s
            left join lateral (
              select * from assistants.task_executions own
                where own.session_id = s.id and own.deleted_at is null order by own.id desc limit 1) e on true
            left join assistants.user_tasks ut on ut.id = e.user_task_id
            left join assistants.tasks t on t.id = ut.task_id
            left join lateral (
              select m.id from assistants.messages m where m.session_id = s.id and m.sender = 'user' and m.in_error_at is null
              order by m.id desc limit 1) newest on true
            where s.id = {sessionId} and not s.is_deleted and case
              when newest.id is null then e.started_at is not null and not exists (
                select from assistants.messages said where said.session_id = s.id and said.sender <> 'system')
              else newest.id > coalesce((select max(said.answered_id) from assistants.messages said where said.session_id = s.id), 0) end
            """).ToListAsync(ct)) is not [var waiting])
        {
            return null;
        }
        var about = waiting.ExecutionId is { } id ? await executions.FindAsync(id, ct) : await ChatAsync(sessionId, ct);
        return about is null ? null : new(
            about, waiting.ExecutionId, waiting.NewestId, waiting.Instructions, waiting.TitleFormat, waiting.DraftFormat,
            waiting.ExecutionId is { } execution ? await images.OfAsync(execution, ct) : []);
    }

    /// <summary>A chat looks like an execution of a task of its own.</summary>
    private async Task<ExecutionSubject?> ChatAsync(string sessionId, CancellationToken ct) => (await db.Database.SqlQuery<Chat>($"""
        select s.user_id, u.organization_id, u.name, u.company_description, u.goal, u.timezone_offset, u.timezone_name,
          coalesce(nullif(s.language, ''), u.language_code) as language,
          coalesce((
            select jsonb_agg(jsonb_build_object('sender', said.sender, 'text', said.text) order by said.message_date, said.id) from (
              select m.id, m.sender, m.message ->> 'text' as text, m.message_date from assistants.messages m
              where m.session_id = s.id and m.message ->> 'text' is not null order by m.message_date desc, m.id desc limit {MostMessages}
            ) said
          ), '[]')::text as messages
        from assistants.sessions s join assistants.users u on u.id = s.user_id where s.id = {sessionId}
        """).ToListAsync(ct)) is [var chat]
        ? new()
        {
            ExecutionId = 0, SessionId = sessionId, UserId = chat.UserId, OrganizationId = chat.OrganizationId, UserName = chat.Name,
            CompanyDescription = chat.CompanyDescription, Goal = chat.Goal,
            TimezoneOffset = chat.TimezoneOffset, TimezoneName = chat.TimezoneName,
            Language = chat.Language, TaskName = "chat", TaskDefinition = "The user talks with you about whatever he likes.", Inputs = "[]",
            Messages = chat.Messages,
        }
        : null;

    private sealed record Chat(
        string UserId, Guid OrganizationId, string Name, string? CompanyDescription,
        string? Goal, int? TimezoneOffset, string? TimezoneName,
        string Language, string Messages);

    private sealed record Waiting(int? ExecutionId, string? Instructions, string? TitleFormat, string? DraftFormat, int? NewestId);
}
