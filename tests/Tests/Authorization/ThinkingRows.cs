using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Routes of Mojodex's wire about thinking and to-dos. None of the matrix's callers has one of its credentials, and none calls the internal
/// listener; what users and services may is asked by the wire's own tests.
/// </summary>
internal static class ThinkingRows
{
    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["GET /background"] = Hidden,
        ["POST /background/user_task_execution_title_and_summary"] = Hidden,
        ["POST /background/extract_todos"] = Hidden,
        ["POST /background/reschedule_todo"] = Hidden,
        ["POST /background/first_session_message"] = Hidden,
        ["POST /background/task_tool_execution"] = Hidden,
        ["POST /assistants/user_task_execution_summary"] = Closed("mojodex_service"),
        ["POST /assistants/extract_todos"] = Closed("mojodex_service"),
        ["PUT /assistants/extract_todos"] = Closed("mojodex_service"),
        ["POST /assistants/todos_scheduling"] = Closed("mojodex_service"),
        ["PUT /assistants/todos_scheduling"] = Closed("mojodex_service"),
        ["PUT /assistants/todos"] = Closed("mojodex_service"),
        ["GET /assistants/todos"] = Closed("mojodex_user"),
        ["POST /assistants/todos"] = Closed("mojodex_user"),
        ["DELETE /assistants/todos"] = Closed("mojodex_user"),
        ["POST /assistants/todos/manual"] = Closed("mojodex_user"),
        ["GET /assistants/jobs/{job_id}"] = Closed("mojodex_user") with { Object = Always("1"), Whose = Whose.Everybodys },
        ["DELETE /assistants/jobs/{job_id}"] = Closed("mojodex_user") with { Object = Always("1"), Whose = Whose.Everybodys },
        ["GET /assistants/events"] = Closed("mojodex_user"),
    };

    private static MatrixRow Hidden => new("mojodex_background", Body: "{}") { Stranger = 404 };

    private static MatrixRow Closed(string rule) => new(rule, Body: "{}") { Stranger = 403 };
}
