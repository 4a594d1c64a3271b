using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;

namespace Stoa.Assistants.Events;

/// <param name="Title">Of the task that it comes from.</param>
/// <param name="Reason">Why it was moved or taken off.</param>
/// <param name="Date">The day that it was moved to, <c>yyyy-mm-dd</c>.</param>
internal sealed record ListedTodo(string Description, string? Title, string? Reason, string? Date);

/// <summary>What a user's morning mail is about: his day, what the assistant has moved and taken off, and what it would take off.</summary>
internal sealed record TodoLists(
    IReadOnlyList<ListedTodo> Today, IReadOnlyList<ListedTodo> Rescheduled,
    IReadOnlyList<ListedTodo> Deleted, IReadOnlyList<ListedTodo> Proposed)
{
    private const int MostListed = 100, LongestText = 2_000;

    public bool IsEmpty => Today.Count + Rescheduled.Count + Deleted.Count + Proposed.Count == 0;

    /// <summary>As the original's backend gives them, in either of its layouts.</summary>
    public static TodoLists Of(JsonElement given) => new(
        Read(given, "today_todo_list", null), Read(given, "rescheduled_todos", "reschedule_justification"),
        Read(given, "deleted_todos", "deletion_justification"), []);

    public Material AddTo(Material material) => material
        .Add("todos_of_today", Today.Count == 0 ? "(none)" : Text(Today))
        .Add("rescheduled_todos", Text(Rescheduled))
        .Add("deleted_todos", Text(Deleted))
        .Add("todos_to_let_go", Text(Proposed));

    private static string Text(IReadOnlyList<ListedTodo> todos) => string.Join('\n', todos.Select(todo =>
        $"- {todo.Description}{Part(" (from: ", todo.Title, ")")}{Part(" now due ", todo.Date, "")}{Part("; reason: ", todo.Reason, "")}"));

    private static string Part(string before, string? text, string after) => string.IsNullOrWhiteSpace(text) ? "" : before + text + after;

    private static ListedTodo[] Read(JsonElement given, string list, string? reason) =>
        given.TryGetProperty(list, out var items) && items.ValueKind == JsonValueKind.Array
            ?
            [
                .. from item in items.EnumerateArray().Take(MostListed)
                   where item.ValueKind == JsonValueKind.Object
                   let description = GivenText.Of(item, "description", LongestText)
                   where description is not null
                   select new ListedTodo(
                       description,
                       GivenText.Of(item, "latest_produced_text_version_title", LongestText)
                       ?? GivenText.Of(item, "related_user_task_execution_title", LongestText),
                       reason is null ? null : GivenText.Of(item, reason, LongestText), GivenText.Of(item, "scheduled_date", LongestText)),
            ]
            : [];
}

/// <summary>Texts of what a caller has given, which may be anything.</summary>
internal static class GivenText
{
    public static string? Of(JsonElement item, string name, int most)
    {
        var text = item.TryGetProperty(name, out var value) ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        } : null;
        return text is null ? null : Shortened(text, most);
    }

    /// <summary>Not in the middle of a character.</summary>
    public static string Shortened(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
}

/// <summary>Reads the lists of one user, and finds out who of many has any.</summary>
internal sealed class TodoListStore(AssistantsDb db)
{
    private const int MostListed = 100;

    public async Task<TodoLists> ReadAsync(UserDay day, CancellationToken ct)
    {
        var rows = await db.Database.SqlQuery<Row>($"""
            with listed as (
              (select 'today' as list, id, task_execution_id, description, null as reason, null::date as date
              from assistants.todos
              where user_id = {day.User.Id} and scheduled_date = {day.Date}
                and completed_at is null and deleted_by_user_at is null and deleted_by_mojo_at is null
              order by id limit {MostListed})
              union all
              (select 'rescheduled', t.id, t.task_execution_id, t.description, s.reschedule_justification, t.scheduled_date
              from assistants.todo_schedulings s join assistants.todos t on t.id = s.todo_id
              where s.reschedule_justification is not null
                and s.created_at >= {day.Start} and s.created_at < {day.End} and t.user_id = {day.User.Id}
                and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
              order by s.id limit {MostListed})
              union all
              (select 'deleted', id, task_execution_id, description, deletion_justification, null
              from assistants.todos
              where user_id = {day.User.Id}
              and deleted_by_mojo_at >= {day.Start} and deleted_by_mojo_at < {day.End} and deleted_by_user_at is null
              order by id limit {MostListed})
              union all
              (select 'proposed', id, task_execution_id, description, deletion_justification, null
              from assistants.todos
              where user_id = {day.User.Id} and deletion_proposed_at >= {day.Start} and deletion_proposed_at < {day.End}
                and completed_at is null and deleted_by_user_at is null and deleted_by_mojo_at is null
              order by id limit {MostListed})
            )
            select l.list, l.description, l.reason, l.date, coalesce(newest.title, e.title) as title
            from listed l
            left join assistants.task_executions e on e.id = l.task_execution_id
            left join lateral (
              select v.title from assistants.produced_texts p join assistants.produced_text_versions v on v.produced_text_id = p.id
              where p.task_execution_id = l.task_execution_id and p.deleted_at is null
              order by v.created_at desc, v.id desc limit 1
            ) newest on true
            order by l.list, l.id
            """).ToListAsync(ct);
        var lists = rows.ToLookup(
            row => row.List,
            row => new ListedTodo(row.Description, row.Title, row.Reason, row.Date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        return new([.. lists["today"]], [.. lists["rescheduled"]], [.. lists["deleted"]], [.. lists["proposed"]]);
    }

    /// <summary>Descriptions of what was written down today, oldest first.</summary>
    public Task<List<string>> NewAsync(UserDay day, CancellationToken ct) => db.Database.SqlQuery<string>($"""
        select description as "Value" from assistants.todos
        where user_id = {day.User.Id}
        and created_at >= {day.Start} and created_at < {day.End} and deleted_by_user_at is null and deleted_by_mojo_at is null
        order by created_at limit {MostListed}
        """).ToListAsync(ct);

    /// <summary>Who of them has anything in one of the lists.</summary>
    public Task<List<string>> WithListsAsync(IReadOnlyList<UserDay> days, CancellationToken ct)
    {
        var (ids, dates, starts, ends) = Columns(days);
        return db.Database.SqlQuery<string>($"""
            select d.user_id as "Value"
            from unnest({ids}, {dates}, {starts}, {ends}) as d (user_id, date, day_start, day_end)
            where exists (
              select from assistants.todos t where t.user_id = d.user_id and t.scheduled_date = d.date
                and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
            ) or exists (
              select from assistants.todos t where t.user_id = d.user_id and t.deleted_by_user_at is null
                and t.deleted_by_mojo_at >= d.day_start and t.deleted_by_mojo_at < d.day_end
            ) or exists (
              select from assistants.todos t
                where t.user_id = d.user_id and t.deletion_proposed_at >= d.day_start and t.deletion_proposed_at < d.day_end
                and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
            ) or exists (
              select from assistants.todo_schedulings s join assistants.todos t on t.id = s.todo_id
              where s.reschedule_justification is not null
                and s.created_at >= d.day_start and s.created_at < d.day_end and t.user_id = d.user_id
                and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
            )
            """).ToListAsync(ct);
    }

    /// <summary>Who of them got a to-do today.</summary>
    public Task<List<string>> WithNewAsync(IReadOnlyList<UserDay> days, CancellationToken ct)
    {
        var (ids, _, starts, ends) = Columns(days);
        return db.Database.SqlQuery<string>($"""
            select d.user_id as "Value" from unnest({ids}, {starts}, {ends}) as d (user_id, day_start, day_end)
            where exists (
              select from assistants.todos t where t.user_id = d.user_id and t.created_at >= d.day_start and t.created_at < d.day_end
                and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
            )
            """).ToListAsync(ct);
    }

    private static (string[] Ids, DateOnly[] Dates, DateTimeOffset[] Starts, DateTimeOffset[] Ends) Columns(IReadOnlyList<UserDay> days) =>
        ([.. days.Select(day => day.User.Id)], [.. days.Select(day => day.Date)],
            [.. days.Select(day => day.Start)], [.. days.Select(day => day.End)]);

    private sealed record Row(string List, string Description, string? Reason, DateOnly? Date, string? Title);
}
