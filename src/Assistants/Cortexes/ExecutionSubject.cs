using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Users;

namespace Stoa.Assistants.Cortexes;

/// <summary>A task execution with everybody and everything around it, as one statement saw it.</summary>
internal sealed record ExecutionSubject
{
    // The newest words matter most, and a conversation may have any length; what came out of it may be long too.
    internal const int LongestConversation = 48_000;

    public required int ExecutionId { get; init; }

    public required string SessionId { get; init; }

    public required string UserId { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string UserName { get; init; }

    public string? CompanyDescription { get; init; }

    public string? Goal { get; init; }

    public int? TimezoneOffset { get; init; }

    public string? TimezoneName { get; init; }

    /// <summary>The session's, else the user's.</summary>
    public required string Language { get; init; }

    public required string TaskName { get; init; }

    public required string TaskDefinition { get; init; }

    /// <summary>The form's inputs, as JSON.</summary>
    public required string Inputs { get; init; }

    public DateTimeOffset? TodosExtractedAt { get; init; }

    /// <summary>The newest, of whomever.</summary>
    public int? LastMessageId { get; init; }

    /// <summary><c>[{"sender", "text"}]</c>, oldest first.</summary>
    public required string Messages { get; init; }

    /// <summary>The newest version of what came out of it.</summary>
    public int? ResultVersionId { get; init; }

    public string? ResultTitle { get; init; }

    public string? Result { get; init; }

    /// <summary>To-dos of this execution and of those that it follows, a line each.</summary>
    public string? KnownTodos { get; init; }

    public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);

    /// <summary>Whom it is for and when, as every process is told.</summary>
    public Material Introduction(DateTimeOffset now) => new Material()
        .Add("now", LocalTime.At(now).ToString("dddd dd MMMM yyyy, HH:mm", CultureInfo.InvariantCulture))
        .Add("language", Language)
        .Add("user_name", UserName)
        .Add("company", CompanyDescription);

    /// <summary>The task is over and this came out of it.</summary>
    public string? Outcome => ResultTitle is null ? Result : $"{ResultTitle}\n{Result}";

    public string Task => $"{TaskName}: {TaskDefinition}";

    /// <summary><c>USER: …</c>, <c>YOU: …</c>, what the system wrote left out.</summary>
    public string Conversation(bool isUsersOnly = false)
    {
        var lines = new List<string>();
        var length = 0;
        using var messages = JsonDocument.Parse(Messages);
        foreach (var message in messages.RootElement.EnumerateArray().Reverse())
        {
            var isUser = message.GetProperty("sender").ValueEquals("user");
            if (!isUser && (isUsersOnly || !message.GetProperty("sender").ValueEquals("mojo")))
            {
                continue;
            }
            var line = $"{(isUser ? "USER" : "YOU")}: {message.GetProperty("text").GetString()}";
            length += line.Length;
            if (length > LongestConversation)
            {
                lines.Add(lines.Count == 0 ? line[..LongestConversation] : "(older messages are left out)");
                break;
            }
            lines.Add(line);
        }
        lines.Reverse();
        return string.Join('\n', lines);
    }
}

internal sealed class ExecutionSubjects(AssistantsDb db)
{
    // So many messages are read at most; what does not fit into a question is left out later.
    private const int MostMessages = 500;

    private const int MostTodos = 200;

    /// <summary>Of what came out of it; null when nothing has.</summary>
    public async Task<int?> NewestVersionAsync(int executionId, CancellationToken ct) => (await db.Database.SqlQuery<int?>($"""
        select v.id as "Value" from assistants.produced_texts p join assistants.produced_text_versions v on v.produced_text_id = p.id
        where p.task_execution_id = {executionId} and p.deleted_at is null
        order by v.created_at desc, v.id desc limit 1
        """).ToListAsync(ct)).FirstOrDefault();

    /// <summary>Null when it is not there, or was deleted.</summary>
    public async Task<ExecutionSubject?> FindAsync(int executionId, CancellationToken ct) =>
        (await db.Database.SqlQuery<ExecutionSubject>($"""
        select e.id as execution_id, e.session_id, e.user_id, u.organization_id, u.name as user_name, u.company_description, u.goal,
          u.timezone_offset, u.timezone_name, coalesce(nullif(s.language, ''), u.language_code) as language,
          t.name_for_system as task_name, t.definition_for_system as task_definition, e.json_input_values::text as inputs,
          e.todos_extracted_at,
          (select m.id from assistants.messages m where m.session_id = e.session_id order by m.id desc limit 1) as last_message_id,
          coalesce((
            select jsonb_agg(jsonb_build_object('sender', said.sender, 'text', said.text) order by said.message_date, said.id) from (
              select m.id, m.sender, m.message ->> 'text' as text, m.message_date from assistants.messages m
              where m.session_id = e.session_id and m.message ->> 'text' is not null
              order by m.message_date desc, m.id desc limit {MostMessages}
            ) said
          ), '[]')::text as messages,
          newest.id as result_version_id,
            newest.title as result_title, left(newest.production, {ExecutionSubject.LongestConversation}) as result,
          (
            with recursive chain as (
              select e.id, e.parent_id
              union
              select parent.id, parent.parent_id from chain join assistants.task_executions parent on parent.id = chain.parent_id
            )
            select string_agg(listed.scheduled_date || ': ' || listed.description, E'\n' order by listed.scheduled_date, listed.id) from (
              select known.id, known.scheduled_date, known.description
              from chain join assistants.todos known on known.task_execution_id = chain.id
              where known.deleted_by_user_at is null and known.deleted_by_mojo_at is null
              order by known.id desc limit {MostTodos}
            ) listed
          ) as known_todos
        from assistants.task_executions e
        join assistants.users u on u.id = e.user_id
        join assistants.sessions s on s.id = e.session_id
        join assistants.user_tasks ut on ut.id = e.user_task_id
        join assistants.tasks t on t.id = ut.task_id
        left join lateral (
          select v.id, v.title, v.production from assistants.produced_texts p
          join assistants.produced_text_versions v on v.produced_text_id = p.id
          where p.task_execution_id = e.id and p.deleted_at is null
          order by v.created_at desc, v.id desc limit 1
        ) newest on true
        where e.id = {executionId} and e.deleted_at is null
        """).ToListAsync(ct)).FirstOrDefault();
}
