using Stoa.Platform.Http;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>
/// The routes of SensAI's wire. None of the matrix's callers has one of its credentials: to all of them they are closed. What those of the
/// wire may do, by their part in a school, is asked by <see cref="Learning.AccessMatrixTests"/>.
/// </summary>
internal static class LearningRows
{
    private const string Learner = "learner", LearnerOrService = "learner_or_service";

    private static readonly string[] Closed =
    [
        "PUT /learning/users/{user_id}", "GET /learning/users/{user_id}/cohorts", "GET /learning/users/{user_id}/activity/{year}",
        "GET /learning/users/{user_id}/active_days", "GET /learning/users/{user_id}/streak",
        "GET /learning/users/{user_id}/cohort/{cohort_id}/present",
        "GET /learning/users/{user_id}/courses", "GET /learning/users/{user_id}/org/{org_id}/cohorts", "GET /learning/users/{user_id}/orgs",
        "POST /learning/organizations", "GET /learning/organizations",
        "GET /learning/organizations/slug/{slug}", "PUT /learning/organizations/{org_id}",
        "GET /learning/organizations/{org_id}/members", "POST /learning/organizations/{org_id}/members",
        "DELETE /learning/organizations/{org_id}/members",
        "GET /learning/cohorts", "POST /learning/cohorts", "PUT /learning/cohorts/{cohort_id}", "DELETE /learning/cohorts/{cohort_id}",
        "POST /learning/cohorts/{cohort_id}/members",
        "DELETE /learning/cohorts/{cohort_id}/members", "GET /learning/cohorts/{cohort_id}/courses",
        "POST /learning/cohorts/{cohort_id}/courses", "DELETE /learning/cohorts/{cohort_id}/courses",
        "GET /learning/cohorts/{cohort_id}/completion",
        "GET /learning/cohorts/{cohort_id}/leaderboard", "GET /learning/cohorts/{cohort_id}/courses/{course_id}/metrics",
        "GET /learning/cohorts/{cohort_id}/streaks", "GET /learning/cohorts/{cohort_id}/task_metrics",
        "GET /learning/cohorts/{cohort_id}/task_attempt_data",
        "GET /learning/batches", "POST /learning/batches", "GET /learning/batches/{batch_id}", "PUT /learning/batches/{batch_id}",
        "DELETE /learning/batches/{batch_id}", "GET /learning/batches/user/{user_id}/cohort/{cohort_id}",
        "POST /learning/courses", "GET /learning/courses", "PUT /learning/courses/{course_id}", "DELETE /learning/courses/{course_id}",
        "POST /learning/courses/{course_id}/milestones",
        "GET /learning/courses/{course_id}/cohorts", "POST /learning/courses/{course_id}/cohorts",
        "DELETE /learning/courses/{course_id}/cohorts",
        "GET /learning/courses/{course_id}/tasks", "POST /learning/courses/{course_id}/duplicate",
        "PUT /learning/courses/{course_id}/milestones/swap",
        "PUT /learning/courses/{course_id}/tasks/swap", "PUT /learning/courses/milestones/order",
        "PUT /learning/courses/tasks/order", "POST /learning/courses/tasks", "DELETE /learning/courses/tasks",
        "GET /learning/milestones", "PUT /learning/milestones/{milestone_id}", "DELETE /learning/milestones/{milestone_id}",
        "GET /learning/milestones/course/{course_id}", "GET /learning/milestones/metrics/user/{user_id}/course/{course_id}",
        "GET /learning/tasks/{task_id}", "GET /learning/tasks/course/{course_id}/learning_material", "POST /learning/tasks",
        "POST /learning/tasks/{task_id}/learning_material",
        "PUT /learning/tasks/{task_id}/learning_material", "POST /learning/tasks/{task_id}/quiz",
        "PUT /learning/tasks/{task_id}/quiz", "POST /learning/tasks/{task_id}/assignment", "PUT /learning/tasks/{task_id}/assignment",
        "POST /learning/tasks/duplicate", "DELETE /learning/tasks/{task_id}",
        "DELETE /learning/tasks", "POST /learning/tasks/{task_id}/complete",
        "GET /learning/tasks/cohort/{cohort_id}/user/{user_id}/completed",
        "GET /learning/scorecards", "POST /learning/scorecards", "PUT /learning/scorecards/{scorecard_id}",
        "POST /learning/ai/chat", "POST /learning/ai/assignment", "POST /learning/ai/generate/course/{course_id}/structure",
        "POST /learning/ai/generate/course/{course_id}/tasks", "POST /learning/ai/generate/course/{course_id}/cancel",
        "POST /learning/chat", "GET /learning/chat", "DELETE /learning/chat", "GET /learning/chat/user/{user_id}/task/{task_id}",
        "PUT /learning/chat/{message_id}/grade", "GET /learning/chat/{message_id}/grades",
        "GET /learning/organizations/{org_id}/provider_keys", "PUT /learning/organizations/{org_id}/provider_keys/{provider}",
        "DELETE /learning/organizations/{org_id}/provider_keys/{provider}",
        "GET /learning/organizations/{org_id}/budget", "PUT /learning/organizations/{org_id}/budget",
        "PUT /learning/organizations/{org_id}/payer",
    ];

    private static readonly string[] ClosedButToTheService =
    [
        "GET /learning/users/{user_id}", "GET /learning/organizations/{org_id}",
        "GET /learning/cohorts/{cohort_id}", "GET /learning/courses/{course_id}",
        "GET /learning/_svc/{service_token}/users/{user_id}", "GET /learning/_svc/{service_token}/organizations/{org_id}",
        "GET /learning/_svc/{service_token}/cohorts/{cohort_id}", "GET /learning/_svc/{service_token}/courses/{course_id}",
    ];

    public static readonly IReadOnlyDictionary<string, MatrixRow> All = Closed.Select(route => (route, Row(route, Learner)))
        .Concat(ClosedButToTheService.Select(route => (route, Row(route, LearnerOrService))))
        .Append(("POST /learning/auth/login", new MatrixRow(AccessRule.Anyone, Body: "{}") { Answers = [422] }))
        .Append(("POST /learning/_svc/{service_token}/auth/login", Row("{", AccessRule.Anyone) with { Answers = [422] }))
        // Who is no WebSocket is told nothing; who is one is refused by the number of the close.
        .Append(("GET /learning/ws/course/{course_id}/generation", Row("{", AccessRule.Anyone) with { Answers = [404] }))
        .ToDictionary(row => row.Item1, row => row.Item2, StringComparer.Ordinal);

    private static MatrixRow Row(string route, string rule) =>
        new(rule, Always([.. Enumerable.Repeat("1", route.Count(character => character == '{'))]), Body: "{}") { Whose = Whose.Everybodys };
}
