using System.Globalization;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning;

/// <summary>
/// Every operation on schools and on what is in them, asked by everybody: who runs the school, who teaches and learns there, a stranger who
/// runs another one, and nobody; about their own school and about the other.
/// </summary>
public sealed class AccessMatrixTests(ITestOutputHelper output)
{
    private const string Staff = "owner admin mentor";
    private const string Admins = "owner admin";
    private const string Members = "owner admin mentor learner other";

    /// <summary>Everybody who is signed in, also of another school.</summary>
    private const string Everybody = "owner admin mentor learner other outsider";

    private static readonly Operation[] Operations =
    [
        new("GET /users/{learner}", "owner admin mentor learner"),
        new("PUT /users/{learner}?first_name=a&middle_name=b&last_name=c&default_dp_color=%23111111", "learner"),
        new("GET /users/{learner}/cohorts", "learner"),
        new("GET /users/{learner}/activity/2026", "learner"),
        new("GET /users/{learner}/active_days?days=3&cohort_id={cohort}", "owner admin mentor learner"),
        new("GET /users/{learner}/streak?cohort_id={cohort}", "owner admin mentor learner"),
        new("GET /users/{learner}/cohort/{cohort}/present", "owner admin mentor learner"),
        new("GET /users/{learner}/courses", "learner"),
        new("GET /users/{learner}/org/{org}/cohorts", "owner admin learner"),
        new("GET /users/{learner}/orgs", "learner"),
        new("POST /organizations/", "learner", """{"name":"New","slug":"new-{unique}","user_id":{learner}}"""),
        new("GET /organizations/", Everybody),
        new("GET /organizations/{org}", Everybody),
        new("GET /organizations/slug/{slug}", Everybody),
        new("PUT /organizations/{org}", Admins, """{"name":"Renamed"}"""),
        new("GET /organizations/{org}/members", Admins),
        new("POST /organizations/{org}/members", Admins, """{"emails":["new-{unique}@x.org"]}"""),
        new("DELETE /organizations/{org}/members", Admins, """{"user_ids":[]}"""),
        new("GET /cohorts/?org_id={org}", Admins),
        new("POST /cohorts/", Admins, """{"name":"New","org_id":{org}}"""),
        new("GET /cohorts/{cohort}", Members),
        new("GET /cohorts/{cohort}?batch_id={batch}", Members),
        new("PUT /cohorts/{cohort}", Admins, """{"name":"Renamed"}"""),
        new("POST /cohorts/{cohort}/members", Admins, """{"org_id":{org},"emails":["new-{unique}@x.org"],"roles":["mentor"]}"""),
        new("DELETE /cohorts/{cohort}/members", Admins, """{"member_ids":[]}"""),
        new("GET /cohorts/{cohort}/courses", Members),
        new("GET /cohorts/{cohort}/courses?include_tree=true", Members),
        new("POST /cohorts/{cohort}/courses", Admins, """{"course_ids":[{course}]}"""),
        new("DELETE /cohorts/{cohort}/courses", Admins, """{"course_ids":[]}"""),
        new("GET /cohorts/{cohort}/completion?user_id={learner}", "owner admin mentor learner"),
        new("GET /cohorts/{cohort}/leaderboard", Members),
        new("GET /cohorts/{cohort}/courses/{course}/metrics", Staff),
        new("GET /cohorts/{cohort}/streaks?view=This%20week", Members),
        new("GET /cohorts/{cohort}/task_metrics?task_ids={material}&task_ids={quiz}", Staff),
        new("GET /cohorts/{cohort}/task_attempt_data?task_ids={material}", Staff),
        new("GET /batches/?cohort_id={cohort}", Staff),
        new("POST /batches/", Admins, """{"name":"New","cohort_id":{cohort},"user_ids":[]}"""),
        new("GET /batches/{batch}", Staff),
        new("PUT /batches/{batch}", Admins, """{"name":"Renamed"}"""),
        new("GET /batches/user/{learner}/cohort/{cohort}", "owner admin learner"),
        new("POST /courses/", Admins, """{"name":"New","org_id":{org}}"""),
        new("GET /courses/?org_id={org}", Admins),
        new("GET /courses/{course}", Members),
        new("GET /courses/{course}?only_published=false", Admins),
        new("PUT /courses/{course}", Admins, """{"name":"Renamed"}"""),
        new("POST /courses/{course}/milestones", Admins, """{"name":"New","color":"#333333"}"""),
        new("GET /courses/{course}/cohorts", Admins),
        new("POST /courses/{course}/cohorts", Admins, """{"cohort_ids":[{cohort}]}"""),
        new("DELETE /courses/{course}/cohorts", Admins, """{"cohort_ids":[]}"""),
        new("GET /courses/{course}/tasks", Admins),
        new("PUT /courses/{course}/milestones/swap", Admins, """{"milestone_1_id":"{first}","milestone_2_id":{second}}"""),
        new("PUT /courses/{course}/tasks/swap", Admins, """{"task_1_id":{material},"task_2_id":{quiz}}"""),
        new("PUT /courses/milestones/order", Admins, """{"milestone_orders":[[0,{milestone_link}]]}"""),
        new("PUT /courses/tasks/order", Admins, """{"task_orders":[[0,{task_link}]]}"""),
        new("POST /courses/tasks", Admins, """{"course_tasks":[[{material},{course},{second}]]}"""),
        new("DELETE /courses/tasks", Admins, """{"course_tasks":[[{draft},{course}]]}"""),
        new("POST /courses/{course}/duplicate", Admins, """{"org_id":{org}}"""),
        new("GET /milestones/?org_id={org}", Admins),
        new("GET /milestones/course/{course}", Admins),
        new("PUT /milestones/{first}", Admins, """{"name":"Renamed"}"""),
        new("GET /milestones/metrics/user/{learner}/course/{course}", "owner admin mentor learner"),
        new("GET /tasks/{quiz}", Members),
        new("GET /tasks/{draft}", Admins),
        new("GET /tasks/course/{course}/learning_material", Admins),
        new("POST /tasks/", Admins, """{"course_id":{course},"milestone_id":{first},"type":"quiz","title":"New"}"""),
        new("POST /tasks/{material}/learning_material", Admins, """{"title":"m","blocks":[]}"""),
        new("PUT /tasks/{material}/learning_material", Admins, """{"title":"m","blocks":[],"status":"published"}"""),
        new("PUT /tasks/{quiz}/quiz", Admins, """{"title":"q","questions":[]}"""),
        new("PUT /tasks/{assignment}/assignment", Admins, """{"title":"a","assignment":{"blocks":[]}}"""),
        new("POST /tasks/duplicate", Admins, """{"task_id":{material},"course_id":{course},"milestone_id":{first}}"""),
        new("POST /tasks/{material}/complete", "learner", """{"user_id":"{learner}"}"""),
        new("GET /tasks/cohort/{cohort}/user/{learner}/completed", "owner admin mentor learner"),
        new("GET /scorecards/?org_id={org}", Admins),
        new("POST /scorecards/", Admins, """{"title":"New","criteria":[],"org_id":{org}}"""),
        new("PUT /scorecards/{scorecard}", Admins, """{"title":"Renamed","criteria":[]}"""),
        new("POST /code/", "learner", """{"user_id":{learner},"question_id":{question},"code":[]}"""),
        new("GET /code/user/{learner}/question/{question}", "learner"),
        new("DELETE /code/user/{learner}/question/{question}", "learner"),
        new("GET /hva/org_id", Everybody),
        new("GET /hva/is_user_hva_learner?user_id={learner}", "learner"),
        new("POST /integrations/", "learner", """{"user_id":{learner},"integration_type":"notion","access_token":"t"}"""),
        new("GET /integrations/?user_id={learner}", "learner"),
        new("DELETE /integrations/", "learner", """{"user_id":{learner},"integration_type":"notion"}"""),
        new("GET /organizations/{org}/api_keys", Admins),
        new("POST /organizations/{org}/api_keys", Admins, """{"name":"{unique}"}"""),
        new("POST /chat/", "learner", """
            {"user_id":"{learner}","question_id":"{question}","is_complete":false,"messages":[{"role":"user","content":"{unique}","created_at":"2026-11-20T09:41:10Z"}]}
            """),
        new("GET /chat/?org_id={org}", Admins),
        new("GET /chat/user/{learner}/task/{quiz}", "owner admin mentor learner"),
        new("DELETE /chat/", ""),
        new("GET /organizations/{org}/provider_keys", Admins),
        new("GET /organizations/{org}/budget", Admins),
        new("PUT /organizations/{org}/budget", "", """{"monthly_budget":1000}"""),
        new("PUT /organizations/{org}/payer", Admins, """{"organization_id":null}"""),
        new("POST /ai/generate/course/{course}/cancel", Admins, "{}"),
        // What deletes comes last, and deletes what nothing above needs. It is gone when the owner comes.
        new("DELETE /tasks/?task_ids={draft}", Admins),
        new("DELETE /tasks/{draft}", Admins) { MayBeGone = true },
        new("POST /tasks/{draft}/assignment", "", """{"title":"a","assignment":{"blocks":[]}}""") { MayBeGone = true },
        new("POST /tasks/{quiz}/quiz", Admins, """{"title":"q","status":"published","questions":[]}"""),
        new("DELETE /milestones/{second}", "admin"),
        new("DELETE /batches/{batch}", "admin"),
        new("DELETE /courses/{course}", "admin"),
        new("DELETE /cohorts/{cohort}", "admin"),
    ];

    [Fact]
    public async Task Everybody_may_do_what_his_part_in_the_school_lets_him_and_nothing_in_another_school()
    {
        await using var site = await LearningSite.StartAsync();
        var (own, foreign) = (await School.OpenAsync(site, "own"), await School.OpenAsync(site, "foreign"));
        (string Name, Learner? Caller)[] callers =
        [
            ("nobody", null), ("outsider", foreign.Owner), ("other", own.Other),
            ("learner", own.Learner), ("mentor", own.Mentor), ("admin", own.Admin),
            ("owner", own.Owner),
        ];
        var (values, others) = (await ValuesAsync(own), await ValuesAsync(foreign));
        List<string> findings = [];
        var calls = 0;

        foreach (var operation in Operations)
        {
            foreach (var (name, caller) in callers)
            {
                var isAllowed = operation.Allowed.Split(' ').Contains(name);
                findings.AddRange(Judge(operation, name, "own", isAllowed, await AskAsync(site, operation, caller, values, calls++)));
                // He who runs the other school is a stranger here, and at home there.
                if (name is not "outsider")
                {
                    var isEverybodys = operation.Allowed == Everybody && caller is not null;
                    findings.AddRange(
                        Judge(operation, name, "foreign", isEverybodys, await AskAsync(site, operation, caller, others, calls++)));
                }
            }
        }

        output.WriteLine($"{Operations.Length} operations, {calls} calls");
        Assert.True(findings.Count == 0, string.Join('\n', findings));
        Assert.Equal("foreign", (string?)(await site.GetAsync(foreign.Owner, $"/organizations/{foreign.Org}"))["name"]);
    }

    private static IEnumerable<string> Judge(
        Operation operation, string caller, string whose, bool isAllowed, (int Status, JsonNode? Body) answer)
    {
        var isRight = isAllowed ? answer.Status == 200
            : caller == "nobody" ? answer.Status == 401
            : answer.Status is 403 or 404 || (operation.MayBeGone && answer.Status == 200);
        if (!isRight)
        {
            yield return $"{operation.Name} as {caller}, {whose}: {answer.Status} {answer.Body?.ToJsonString()}";
        }
    }

    private static Task<(int Status, JsonNode? Body)> AskAsync(
        LearningSite site, Operation operation, Learner? caller, Dictionary<string, string> values, int call)
    {
        var words = operation.Name.Split(' ', 2);
        return site.SendAsync(caller, new(words[0]), Fill(words[1]), operation.Body is null ? null : JsonNode.Parse(Fill(operation.Body)));

        string Fill(string text) => values.Append(new("unique", call.ToString(CultureInfo.InvariantCulture)))
            .Aggregate(text, (filled, value) => filled.Replace($"{{{value.Key}}}", value.Value, StringComparison.Ordinal));
    }

    private static async Task<Dictionary<string, string>> ValuesAsync(School school)
    {
        var links = (await school.Site.GetAsync(school.Owner, $"/milestones/course/{school.Course}")).AsArray();
        var tasks = (await school.Site.GetAsync(school.Owner, $"/courses/{school.Course}/tasks")).AsArray();
        return new(StringComparer.Ordinal)
        {
            ["org"] = $"{school.Org}",
            ["slug"] = (string)(await school.Site.GetAsync(school.Owner, $"/organizations/{school.Org}"))["slug"]!,
            ["learner"] = $"{school.Learner.Id}", ["cohort"] = $"{school.Cohort}",
            ["batch"] = $"{school.Batch}", ["course"] = $"{school.Course}",
            ["first"] = $"{school.First}", ["second"] = $"{school.Second}",
            ["material"] = $"{school.Material}", ["quiz"] = $"{school.Quiz}",
            ["assignment"] = $"{school.Assignment}", ["draft"] = $"{school.Draft}",
            ["question"] = $"{school.Questions[0]}", ["scorecard"] = $"{school.Scorecard}",
            ["milestone_link"] = $"{links[0]!["course_milestone_id"]}", ["task_link"] = $"{tasks[0]!["course_task_id"]}",
        };
    }

    private sealed record Operation(string Name, string Allowed, string? Body = null)
    {
        /// <summary>Deleting what is not there is no error, so a caller who may not is not told either.</summary>
        public bool MayBeGone { get; init; }
    }
}
