using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Privacy;

namespace Stoa.Assistants.Privacy;

/// <summary>What Assistants keeps about a person: the user that he became here, and everything that the assistant did for him.</summary>
internal sealed class AssistantsData(AssistantsDb db, UserErasure erasure, NpgsqlDataSource source) : IPersonalData
{
    // Each by user ids. Vectors are made of texts that are here.
    private static readonly (string File, string Sql)[] Parts =
    [
        ("users", "select to_jsonb(u) - 'person_id' - 'password' from assistants.users u where id = any ($1)"),
        ("companies", """
            select to_jsonb(c) from assistants.companies c where id in (select company_id from assistants.users where id = any ($1))
            """),
        ("devices", "select to_jsonb(d) - 'fcm_token' from assistants.devices d where user_id = any ($1) order by id"),
        ("sessions", "select to_jsonb(s) from assistants.sessions s where user_id = any ($1) order by created_at, id"),
        ("messages", """
            select to_jsonb(m) from assistants.messages m join assistants.sessions s on s.id = m.session_id
            where s.user_id = any ($1) order by m.session_id, m.message_date, m.id
            """),
        ("tasks", """
            select jsonb_build_object('task', t.name_for_system, 'is_enabled', ut.is_enabled)
            from assistants.user_tasks ut join assistants.tasks t on t.id = ut.task_id where ut.user_id = any ($1) order by ut.id
            """),
        ("purchases", """
            select jsonb_build_object('product', product.label, 'is_active', p.is_active, 'since', p.created_at)
            from assistants.purchases p
              join assistants.products product on product.id = p.product_id where p.user_id = any ($1) order by p.id
            """),
        ("executions", "select to_jsonb(e) from assistants.task_executions e where user_id = any ($1) order by id"),
        ("input_images", """
            select to_jsonb(i) || jsonb_build_object('content', encode(i.content, 'base64'))
            from assistants.input_images i
              join assistants.task_executions e on e.id = i.task_execution_id where e.user_id = any ($1) order by i.id
            """),
        ("workflow_steps", """
            select to_jsonb(r) from assistants.workflow_step_executions r join assistants.task_executions e on e.id = r.task_execution_id
            where e.user_id = any ($1) order by r.id
            """),
        ("tool_queries", """
            select to_jsonb(q) || jsonb_build_object('tool', t.tool_name, 'task_execution_id', t.task_execution_id)
            from assistants.task_tool_queries q join assistants.task_tool_executions t on t.id = q.task_tool_execution_id
            join assistants.task_executions e on e.id = t.task_execution_id where e.user_id = any ($1) order by q.id
            """),
        ("produced_texts", """
            select to_jsonb(v) - 'embedding' || jsonb_build_object('task_execution_id', p.task_execution_id, 'deleted_at', p.deleted_at)
            from assistants.produced_text_versions v join assistants.produced_texts p on p.id = v.produced_text_id
            where p.user_id = any ($1) order by v.id
            """),
        ("todos", "select to_jsonb(t) from assistants.todos t where user_id = any ($1) order by id"),
        ("todo_schedulings", """
            select to_jsonb(s) from assistants.todo_schedulings s
              join assistants.todos t on t.id = s.todo_id where t.user_id = any ($1) order by s.id
            """),
        ("websites", "select to_jsonb(w) from assistants.websites w where user_id = any ($1) order by id"),
        ("documents", "select to_jsonb(d) from assistants.documents d where user_id = any ($1) order by id"),
        ("document_texts", """
            select jsonb_build_object('document_id', c.document_id, 'index', c.index, 'text', c.text)
            from assistants.document_chunks c join assistants.documents d on d.id = c.document_id
            where d.user_id = any ($1) and c.deleted_at is null order by c.document_id, c.index
            """),
        ("given", "select to_jsonb(g) from assistants.given g where user_id = any ($1) order by id"),
        ("events", "select to_jsonb(e) from assistants.events e where user_id = any ($1) order by id"),
        ("calendar_suggestions", "select to_jsonb(s) from assistants.calendar_suggestions s where user_id = any ($1) order by id"),
        ("home_chats", "select to_jsonb(h) from assistants.home_chats h where user_id = any ($1) order by id"),
    ];

    public string Name => "assistants";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct) =>
        await folder.AddAsync(source, Parts, await UsersAsync(personId, ct), ct);

    /// <summary>All of it was for him alone, and goes.</summary>
    public Task EraseAsync(Guid personId, CancellationToken ct) => erasure.ErasePersonAsync(personId, ct);

    private Task<string[]> UsersAsync(Guid personId, CancellationToken ct) =>
        db.Users.Where(user => user.PersonId == personId).Select(user => user.Id).ToArrayAsync(ct);
}
