using Stoa.Platform.Http;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Routes of Mojodex's wire about accounts, tasks and conversations. None of the matrix's callers has one of its credentials; what users
/// and services may is asked by <see cref="Assistants.Work.AccessTests"/>.
/// </summary>
internal static class WorkRows
{
    private const string User = "mojodex_user", Service = "mojodex_service", Both = "mojodex_user_or_service";

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new (string Route, string Rule)[]
    {
        ("PUT /assistants/terms_and_conditions", User), ("POST /assistants/timezone", User), ("PUT /assistants/goal", User),
        ("POST /assistants/user_summary", Service), ("POST /assistants/language", User), ("GET /assistants/language", User),
        ("PUT /assistants/company", User), ("POST /assistants/company", User),
        ("PUT /assistants/session", User), ("GET /assistants/session", User),
        ("POST /assistants/session", Both), ("DELETE /assistants/session", User), ("GET /assistants/user_task", User),
        ("PUT /assistants/user_task_execution", User), ("GET /assistants/user_task_execution", User),
        ("POST /assistants/user_task_execution", Service), ("DELETE /assistants/user_task_execution", User),
        ("POST /assistants/user_task_execution_run", User), ("POST /assistants/user_task_execution_title", User),
        ("GET /assistants/user_task_execution_produced_text", User),
        ("PUT /assistants/user_message", User), ("GET /assistants/message", User),
        ("PUT /assistants/mojo_message", Service), ("GET /assistants/produced_text", User), ("POST /assistants/produced_text", Both),
        ("DELETE /assistants/produced_text", User), ("GET /assistants/retrieve_produced_text", Service),
        ("PUT /assistants/task_tool_query", Service),
        ("POST /assistants/task_tool_query", Service), ("POST /assistants/home_chat", Both), ("PUT /assistants/home_chat", Service),
        ("POST /assistants/relaunch_locked_workflow_step_executions", Service),
    }
        .Select(row => (row.Route, Row: new MatrixRow(row.Rule, Body: "{}") { Stranger = 403 }))
        .Append(("PUT /assistants/user", new(AccessRule.Anyone, Body: "{}") { Answers = [400] }))
        .Append(("POST /assistants/password", new(AccessRule.Anyone, Body: "{}") { Answers = [400] }))
        .Append(("PUT /assistants/password", new(AccessRule.Anyone, Body: "{}") { Answers = [400] }))
        .Append(("POST /assistants/user", new(AccessRule.Anyone, Body: "{}") { Answers = [400] }))
        .ToDictionary(row => row.Route, row => row.Row, StringComparer.Ordinal);
}
