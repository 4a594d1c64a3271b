using System.Globalization;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning;

/// <summary>
/// A school that runs: a course of two modules with a material, a quiz of two questions, an assignment and a draft, which a cohort takes
/// with a mentor and two learners, all in one batch.
/// </summary>
internal sealed class School
{
    private int tasks;

    private School(LearningSite site) => Site = site;

    public LearningSite Site { get; }

    public required Learner Owner { get; init; }

    public required Learner Admin { get; init; }

    public required Learner Mentor { get; init; }

    public required Learner Learner { get; init; }

    public required Learner Other { get; init; }

    public int Org { get; private set; }

    public int Cohort { get; private set; }

    public int Batch { get; private set; }

    public int Course { get; private set; }

    public int First { get; private set; }

    public int Second { get; private set; }

    public int Material { get; private set; }

    public int Quiz { get; private set; }

    public int Assignment { get; private set; }

    public int Draft { get; private set; }

    public int Scorecard { get; private set; }

    public int[] Questions { get; private set; } = [];

    public static JsonArray Block(string text) =>
        [new JsonObject { ["type"] = "paragraph", ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }) }];

    public static JsonObject Question(string title, int? scorecard = null) => new()
    {
        ["title"] = title, ["blocks"] = Block(title), ["answer"] = Block($"the solution of {title}"),
        ["type"] = scorecard is null ? "objective" : "subjective", ["input_type"] = "text", ["response_type"] = "chat",
        ["context"] = new JsonObject { ["blocks"] = Block("the knowledge base"), ["linkedMaterialIds"] = null },
        ["coding_languages"] = null, ["scorecard_id"] = scorecard, ["is_feedback_shown"] = true,
    };

    public static async Task<School> OpenAsync(LearningSite site, string name)
    {
        var owner = await site.SignInAsync($"owner@{name}.org");
        var school = new School(site)
        {
            Owner = owner,
            Admin = await site.SignInAsync($"admin@{name}.org"),
            Mentor = await site.SignInAsync($"mentor@{name}.org"),
            Learner = await site.SignInAsync($"learner@{name}.org"),
            Other = await site.SignInAsync($"other@{name}.org"),
        };
        await school.FillAsync(name);
        return school;
    }

    public Task CompleteAsync(Learner learner, int task) =>
        Site.PostAsync(learner, $"/tasks/{task}/complete", new JsonObject { ["user_id"] = learner.Id });

    /// <summary>A published material at the end of a module.</summary>
    public async Task<int> AddMaterialAsync(int milestone, bool isPublished = true)
    {
        var task = await AddTaskAsync(milestone, "learning_material");
        if (isPublished)
        {
            await Site.PostAsync(
                Owner, $"/tasks/{task}/learning_material", new JsonObject { ["title"] = $"Material {task}", ["blocks"] = Block("read") });
        }
        return task;
    }

    public Task<int> AddTaskAsync(int milestone, string type) => Site.MakeAsync(Owner, "/tasks/", new JsonObject
    {
        ["course_id"] = Course.ToString(CultureInfo.InvariantCulture),
        ["milestone_id"] = milestone, ["type"] = type, ["title"] = $"Task {tasks++}",
    });

    public Task LinkAsync(JsonObject? drip = null) => Site.PostAsync(
        Owner, $"/cohorts/{Cohort}/courses", new JsonObject { ["course_ids"] = new JsonArray(Course), ["drip_config"] = drip });

    private async Task FillAsync(string name)
    {
        Org = await Site.MakeAsync(
            Owner, "/organizations/", new JsonObject { ["name"] = name, ["slug"] = name, ["user_id"] = $"{Owner.Id}" });
        await Site.PostAsync(Owner, $"/organizations/{Org}/members", new JsonObject { ["emails"] = new JsonArray(Admin.Email) });
        Course = await Site.MakeAsync(Owner, "/courses/", new JsonObject { ["name"] = "Logic", ["org_id"] = Org });
        First = await Site.MakeAsync(Owner, $"/courses/{Course}/milestones", new JsonObject { ["name"] = "First", ["color"] = "#111111" });
        Second = await Site.MakeAsync(
            Owner, $"/courses/{Course}/milestones", new JsonObject { ["name"] = "Second", ["color"] = "#222222" });
        Scorecard = (int)(await Site.PostAsync(Owner, "/scorecards/", new JsonObject
        {
            ["title"] = "Card", ["org_id"] = Org, ["criteria"] = new JsonArray(new JsonObject
            {
                ["name"] = "Depth", ["description"] = "how deep", ["min_score"] = 0, ["max_score"] = "10", ["pass_score"] = 6,
            }),
        }))["id"]!;
        Material = await AddMaterialAsync(First);
        Quiz = await AddTaskAsync(First, "quiz");
        var quiz = await Site.PostAsync(Owner, $"/tasks/{Quiz}/quiz", new JsonObject
        {
            ["title"] = "Quiz", ["status"] = "published", ["questions"] = new JsonArray(Question("One"), Question("Two", Scorecard)),
        });
        Questions = [.. quiz["questions"]!.AsArray().Select(question => (int)question!["id"]!)];
        Assignment = await AddTaskAsync(Second, "assignment");
        await Site.PostAsync(Owner, $"/tasks/{Assignment}/assignment", new JsonObject
        {
            ["title"] = "Build it", ["assignment"] = new JsonObject
            {
                ["blocks"] = Block("build"),
                ["context"] = new JsonObject { ["blocks"] = Block("secret"), ["linkedMaterialIds"] = new JsonArray($"{Material}") },
                ["evaluation_criteria"] =
                    new JsonObject { ["scorecard_id"] = Scorecard, ["min_score"] = 0, ["max_score"] = 100, ["pass_score"] = 60 },
            },
        });
        Draft = await AddMaterialAsync(Second, isPublished: false);
        Cohort = await Site.MakeAsync(Owner, "/cohorts/", new JsonObject { ["name"] = "Spring", ["org_id"] = Org });
        await Site.PostAsync(Owner, $"/cohorts/{Cohort}/members", new JsonObject
        {
            ["org_id"] = Org, ["emails"] = new JsonArray(Learner.Email, Other.Email, Mentor.Email),
            ["roles"] = new JsonArray("learner", "learner", "mentor"),
        });
        await LinkAsync();
        Batch = await Site.MakeAsync(Owner, "/batches/", new JsonObject
        {
            ["name"] = "A", ["cohort_id"] = Cohort, ["user_ids"] = new JsonArray(Learner.Id, Other.Id, Mentor.Id),
        });
    }
}
