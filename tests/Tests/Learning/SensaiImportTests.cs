using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Import;

namespace Stoa.Tests.Learning;

/// <summary>
/// Dumps as <c>sqlite3 -json</c> writes them: an array, a row on each line, with numbers for flags and text for documents.
/// </summary>
public sealed class SensaiImportTests
{
    private const string Times = "\"created_at\":\"2025-08-01 10:00:00\",\"updated_at\":\"2025-08-01 10:00:00\",\"deleted_at\":null";

    private static readonly (string Table, string[] Rows)[] Dump =
    [
        ("users",
        [
            """ "id":3,"email":"Ada@Ex.org","first_name":"Ada","middle_name":null,"last_name":"L","default_dp_color":"#111111" """,
            """ "id":7,"email":"dan@ex.org","first_name":"Dan","middle_name":null,"last_name":null,"default_dp_color":null """,
            """ "id":9,"email":"DAN@ex.org","first_name":"Dan again","middle_name":null,"last_name":null,"default_dp_color":null """,
        ]),
        ("organizations", [""" "id":5,"slug":"old-school","name":"Old","default_logo_color":null """]),
        ("user_organizations",
            [""" "id":1,"user_id":3,"org_id":5,"role":"owner" """, """ "id":2,"user_id":99,"org_id":5,"role":"admin" """]),
        ("cohorts", [""" "id":4,"name":"Spring","org_id":5 """]),
        ("user_cohorts", [""" "id":8,"user_id":7,"cohort_id":4,"role":"learner","joined_at":"2025-08-02 00:00:00" """]),
        ("courses", [""" "id":6,"org_id":5,"name":"Logic" """]),
        ("course_cohorts",
            [""" "id":1,"course_id":6,"cohort_id":4,"is_drip_enabled":0,"frequency_value":null,"frequency_unit":null,"publish_at":null """]),
        ("milestones", [""" "id":2,"org_id":5,"name":"First","color":"#222222" """]),
        ("course_milestones", [""" "id":1,"course_id":6,"milestone_id":2,"ordering":0 """]),
        ("tasks",
        [
            """ "id":11,"org_id":5,"type":"quiz","blocks":null,"title":"Quiz","status":"published","scheduled_publish_at":null """,
            """ "id":12,"org_id":5,"type":"assignment","blocks":null,"title":"Build","status":"published","scheduled_publish_at":"2025-08-01T12:00:00Z" """,
        ]),
        ("course_tasks",
            [""" "id":1,"task_id":11,"course_id":6,"ordering":0,"milestone_id":2 """,
                """ "id":2,"task_id":12,"course_id":6,"ordering":1,"milestone_id":2 """]),
        ("questions",
        [
            """
            "id":21,"task_id":11,"type":"objective","blocks":"[{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":\"one\\u0000two\"}]}]","answer":"[]",
            "input_type":"text","coding_language":null,"generation_model":null,"response_type":"chat","position":0,"max_attempts":null,"is_feedback_shown":1,
            "context":null,"title":"Q","settings":"{\"allowCopyPaste\":true}"
            """,
        ]),
        ("chat_history",
        [
            """ "id":101,"user_id":7,"question_id":21,"task_id":null,"role":"user","content":"42","response_type":"text" """,
            """ "id":102,"user_id":7,"question_id":null,"task_id":12,"role":"assistant","content":"{\"feedback\": \"\"}","response_type":null """,
            """ "id":103,"user_id":7,"question_id":21,"task_id":null,"role":"user","content":"0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11","response_type":"audio" """,
        ]),
        ("task_completions", [""" "id":1,"user_id":7,"task_id":null,"question_id":21 """]),
    ];

    [Fact]
    public async Task A_school_moves_in_with_its_ids_and_what_was_there_goes_on()
    {
        var folder = Directory.CreateTempSubdirectory("stoa-sensai-").FullName;
        foreach (var (table, rows) in Dump)
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, $"{table}.json"), $"[{string.Join(",\n", rows.Select(row => $"{{{row},{Times}}}"))}]\n",
                TestContext.Current.CancellationToken);
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "batches.json"), "", TestContext.Current.CancellationToken);
        await using var site = await LearningSite.StartAsync();
        List<string> told = [];

        await RunAsync(site, folder, told);
        var again = await Assert.ThrowsAsync<InvalidDataException>(() => RunAsync(site, folder, []));
        var (ada, dan) = (await site.SignInAsync("ada@ex.org"), await site.SignInAsync("dan@ex.org"));
        var quiz = await site.GetAsync(ada, "/tasks/11");
        var board = await site.GetAsync(dan, "/cohorts/4/leaderboard");
        var next = await site.MakeAsync(ada, "/courses/", new JsonObject { ["name"] = "Next", ["org_id"] = 5 });

        Assert.Equal((3, 7, 7), (ada.Id, dan.Id, next));
        Assert.Contains("user_organizations: 1, and 1 that name something that is not there", told);
        Assert.Contains("users", again.Message, StringComparison.Ordinal);
        Assert.Equal("onetwo", (string?)quiz["questions"]![0]!["blocks"]![0]!["content"]![0]!["text"]);
        Assert.True((bool)quiz["questions"]![0]!["settings"]!["allowCopyPaste"]!);
        Assert.Equal(1, (int)board["stats"]![0]!["tasks_completed"]!);
        Assert.Equal("double-9-dan@ex.org", await site.ValueAsync<string>("select email from learning.users where id = 9"));
        Assert.Equal("2025-08-01 10:00:00", (string?)(await site.GetAsync(dan, "/users/7"))["created_at"]);
        Assert.Equal(102, await site.ValueAsync<int>("select id from learning.chat_history where deleted_at is not null"));
        Assert.Equal(7, await site.ValueAsync<int>(
            "select user_id from learning.files where id = '0b4e7f3a-6f57-4f1d-9c58-0d5d6f0f2f11' and extension = 'wav'"));
        Assert.Equal(20, (double)(await site.GetAsync(ada, "/organizations/5/budget"))["amount"]!);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task RunAsync(LearningSite site, string folder, List<string> told)
    {
        await using var scope = site.Host.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<SensaiImport>().RunAsync(folder, told.Add, TestContext.Current.CancellationToken);
    }
}
