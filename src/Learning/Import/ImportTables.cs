namespace Stoa.Learning.Import;

/// <summary>One column of ours, what its value is in the original's dump, and how that becomes ours.</summary>
internal sealed record ImportColumn(string Name, string Type, string? Value = null);

/// <param name="Source">The original's table, and the name of its dump.</param>
/// <param name="Requires">What must be there besides: the original never looked whether a row names one that exists.</param>
internal sealed record ImportTable(string Name, string Source, string Requires, params ImportColumn[] Columns)
{
    private bool HasCreatedAt => Name != "user_cohorts";

    /// <summary>Adds rows of the dump, given as one JSON array.</summary>
    public string Statement
    {
        get
        {
            string[] times = HasCreatedAt ? ["created_at", "updated_at"] : ["updated_at"];
            ImportColumn[] all =
            [
                new("id", "integer"), .. Columns,
                .. times.Select(time => new ImportColumn(time, "text", $"coalesce(nullif(r.{time}, '')::timestamptz, now())")),
                new("deleted_at", "text", "nullif(r.deleted_at, '')::timestamptz"),
            ];
            return $"""
                insert into learning.{Name} ({string.Join(", ", all.Select(column => column.Name))}) overriding system value
                select {string.Join(", ", all.Select(column => column.Value ?? $"r.{column.Name}"))}
                from jsonb_to_recordset($1::jsonb) as r ({string.Join(", ", all.Select(column => $"{column.Name} {column.Type}"))})
                where {Requires}
                """;
        }
    }
}

/// <summary>What is taken over, each table behind those that it names.</summary>
internal static class ImportTables
{
    private const string Json = "text";

    public static readonly ImportTable[] All =
    [
        new("users", "users", "r.email is not null",
            // Two that differ in the case of their letters are one to us: the first keeps the address.
            new("email", "text", """
                case when exists (select from learning.users u where u.email = lower(trim(r.email)))
                  or row_number() over (partition by lower(trim(r.email)) order by r.deleted_at is not null, r.id) > 1
                then 'double-' || r.id || '-' || lower(trim(r.email)) else lower(trim(r.email)) end
                """),
            Text("first_name"), Text("middle_name"), Text("last_name"), Text("default_dp_color")),
        new("organizations", "organizations", "true", Text("slug"), Text("name"), Text("default_logo_color"),
            new("organization_id", "uuid", "pg_temp.metered(r.slug, r.name)")),
        new("org_api_keys", "org_api_keys", Has("organizations", "org_id"), Number("org_id"), Text("hashed_key")),
        new("user_organizations", "user_organizations",
            $"{Has("users", "user_id")} and {Has("organizations", "org_id")} and r.role in ('owner', 'admin')",
            Number("user_id"), Number("org_id"), Text("role")),
        new("cohorts", "cohorts", Has("organizations", "org_id"), Number("org_id"), Text("name")),
        new("user_cohorts", "user_cohorts",
            $"{Has("users", "user_id")} and {Has("cohorts", "cohort_id")} and r.role in ('learner', 'mentor')",
            Number("user_id"), Number("cohort_id"), Text("role"),
            new("joined_at", "text", "coalesce(nullif(r.joined_at, '')::timestamptz, now())")),
        new("batches", "batches", Has("cohorts", "cohort_id"), Number("cohort_id"), Text("name")),
        new("user_batches", "user_batches", $"{Has("users", "user_id")} and {Has("batches", "batch_id")}",
            Number("user_id"), Number("batch_id")),
        new("courses", "courses", Has("organizations", "org_id"), Number("org_id"), Text("name")),
        new("course_cohorts", "course_cohorts", $"{Has("courses", "course_id")} and {Has("cohorts", "cohort_id")}",
            Number("course_id"), Number("cohort_id"),
            new("is_drip_enabled", "integer", "coalesce(r.is_drip_enabled, 0) <> 0"), Number("frequency_value"),
            new("frequency_unit", "text", "nullif(r.frequency_unit, '')"), Time("publish_at")),
        new("milestones", "milestones", Has("organizations", "org_id"), Number("org_id"), Text("name"), Text("color")),
        new("course_milestones", "course_milestones", $"{Has("courses", "course_id")} and {Has("milestones", "milestone_id")}",
            Number("course_id"), Number("milestone_id"), Number("ordering")),
        new("tasks", "tasks", $"{Has("organizations", "org_id")} and r.type in ('quiz', 'learning_material', 'assignment')",
            Number("org_id"), Text("type"), Document("blocks"), Text("title"),
            new("status", "text", "coalesce(r.status, 'draft')"), Time("scheduled_publish_at")),
        new("course_tasks", "course_tasks",
            $"{Has("tasks", "task_id")} and {Has("courses", "course_id")} and {MayHave("milestones", "milestone_id")}",
            Number("task_id"), Number("course_id"), Number("milestone_id"), Number("ordering")),
        new("questions", "questions", Has("tasks", "task_id"),
            Number("task_id"), Text("type"), Document("blocks"), Document("answer"),
            new("input_type", "text", "coalesce(r.input_type, 'text')"),
            Document("coding_language"), Text("generation_model"), new("response_type", "text", "coalesce(r.response_type, 'chat')"),
            new("position", "integer", "coalesce(r.position, 0)"), Number("max_attempts"),
            new("is_feedback_shown", "integer", "r.is_feedback_shown <> 0"),
            Document("context"), new("title", "text", "coalesce(r.title, '')"), Document("settings")),
        new("assignments", "assignment", Has("tasks", "task_id"),
            Number("task_id"), new("blocks", Json, "coalesce(nullif(r.blocks, '')::jsonb, '[]')"),
            new("input_type", "text", "coalesce(r.input_type, 'text')"),
            Text("response_type"), Document("context"), Document("evaluation_criteria"), Number("max_attempts"), Document("settings")),
        new("scorecards", "scorecards", Has("organizations", "org_id"),
            Number("org_id"), Text("title"), new("criteria", Json, "coalesce(nullif(r.criteria, '')::jsonb, '[]')"),
            new("status", "text", "coalesce(r.status, 'draft')")),
        new("question_scorecards", "question_scorecards", $"{Has("questions", "question_id")} and {Has("scorecards", "scorecard_id")}",
            Number("question_id"), Number("scorecard_id")),
        new("chat_history", "chat_history",
            $"{Has("users", "user_id")} and {MayHave("questions", "question_id")} and {MayHave("tasks", "task_id")} and r.role in ('user', 'assistant')",
            Number("user_id"), Number("question_id"), Number("task_id"), Text("role"),
            Text("content"), new("response_type", "text", "nullif(r.response_type, '')")),
        new("task_completions", "task_completions",
            $"{Has("users", "user_id")} and {MayHave("questions", "question_id")} and {MayHave("tasks", "task_id")}",
            Number("user_id"), Number("task_id"), Number("question_id")),
        new("code_drafts", "code_drafts", $"{Has("users", "user_id")} and {Has("questions", "question_id")}",
            Number("user_id"), Number("question_id"), new("code", Json, "r.code::jsonb")),
    ];

    private static ImportColumn Text(string name) => new(name, "text");

    private static ImportColumn Number(string name) => new(name, "integer");

    private static ImportColumn Time(string name) => new(name, "text", $"nullif(r.{name}, '')::timestamptz");

    /// <summary>JSON, which the original keeps as text.</summary>
    private static ImportColumn Document(string name) => new(name, Json, $"nullif(r.{name}, '')::jsonb");

    private static string Has(string table, string column) => $"exists (select from learning.{table} x where x.id = r.{column})";

    private static string MayHave(string table, string column) => $"(r.{column} is null or {Has(table, column)})";
}
