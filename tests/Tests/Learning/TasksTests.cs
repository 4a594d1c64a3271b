using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning;

public sealed class TasksTests(SharedLearningSite shared) : IClassFixture<SharedLearningSite>
{
    [Fact]
    public async Task No_learner_and_no_mentor_gets_a_solution_or_a_knowledge_base()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();

        foreach (var member in new[] { school.Learner, school.Mentor })
        {
            var quiz = await site.GetAsync(member, $"/tasks/{school.Quiz}");
            Assert.All(quiz["questions"]!.AsArray(), question =>
            {
                Assert.Null(question!["answer"]);
                Assert.Null(question["context"]);
                Assert.NotNull(question["blocks"]![0]!["id"]);
            });
            Assert.Null((await site.GetAsync(member, $"/tasks/{school.Assignment}"))["assignment"]!["context"]);
        }
        var full = (await site.GetAsync(school.Admin, $"/tasks/{school.Quiz}"))["questions"]![0]!;
        Assert.NotNull(full["answer"]);
        Assert.NotNull(full["context"]!["blocks"]![0]!["id"]);
    }

    [Fact]
    public async Task Saving_a_quiz_keeps_what_it_names_makes_what_is_new_and_takes_away_the_rest()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var (first, second) = (school.Questions[0], school.Questions[1]);
        var kept = School.Question("Two, again");
        kept["id"] = $"{second}";
        var quiz = new JsonObject { ["title"] = "Quiz", ["status"] = "published",
            ["questions"] = new JsonArray(School.Question("New"), kept) };

        var saved = (await site.PostAsync(school.Owner, $"/tasks/{school.Quiz}/quiz", quiz))["questions"]!.AsArray();

        Assert.Equal(["New", "Two, again"], saved.Select(question => (string?)question!["title"]));
        Assert.Equal(second, (int)saved[1]!["id"]!);
        Assert.Null(saved[1]!["scorecard_id"]);
        Assert.DoesNotContain(first, saved.Select(question => (int)question!["id"]!));

        // One that was taken away is nobody's any more, as is another quiz's.
        kept["id"] = first;
        Assert.Equal("400 One or more questions do not belong to this quiz",
            await site.StatusesAsync(school.Owner, HttpMethod.Post, $"/tasks/{school.Quiz}/quiz", quiz));
    }

    [Fact]
    public async Task Changing_questions_leaves_what_it_does_not_name()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var change = School.Question("Two, changed");
        (change["id"], change["type"], change["input_type"], change["answer"], change["settings"]) =
            (school.Questions[1], null, null, new JsonArray(), new JsonObject { ["allowCopyPaste"] = false });

        var saved = (await site.PutAsync(school.Owner, $"/tasks/{school.Quiz}/quiz",
            new JsonObject { ["title"] = "Quiz", ["questions"] = new JsonArray(change) }))["questions"]!.AsArray();

        Assert.Equal(["One", "Two, changed"], saved.Select(question => (string?)question!["title"]));
        Assert.Equal((school.Scorecard, "subjective", "text"),
            ((int)saved[1]!["scorecard_id"]!, (string?)saved[1]!["type"], (string?)saved[1]!["input_type"]));
        Assert.Null(saved[1]!["answer"]);
        Assert.Equal("published", (string?)(await site.GetAsync(school.Owner, $"/scorecards/?org_id={school.Org}"))[0]!["status"]);
    }

    [Fact]
    public async Task Another_schools_scorecard_judges_nothing_here()
    {
        var site = shared.Site;
        var (school, other) = (await shared.OpenSchoolAsync(), await shared.OpenSchoolAsync());

        var status = await site.StatusesAsync(school.Owner, HttpMethod.Post, $"/tasks/{school.Quiz}/quiz", new JsonObject
        {
            ["title"] = "Quiz", ["status"] = "draft", ["questions"] = new JsonArray(School.Question("Q", other.Scorecard)),
        });

        Assert.Equal("400 One or more scorecards do not belong to the organization", status);
        Assert.Equal("Quiz", (string?)(await site.GetAsync(school.Owner, $"/tasks/{school.Quiz}"))["title"]);
        Assert.Equal(2, (await site.GetAsync(school.Owner, $"/tasks/{school.Quiz}"))["questions"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_scheduled_task_is_hidden_until_its_time_and_then_published_by_itself()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var body = new JsonObject { ["title"] = "Later", ["blocks"] = School.Block("later"),
            ["scheduled_publish_at"] = "2099-01-01T05:30:00+05:30" };
        var saved = await site.PostAsync(school.Owner, $"/tasks/{school.Material}/learning_material", body);

        Assert.Equal("2099-01-01T00:00:00Z", (string?)saved["scheduled_publish_at"]);
        Assert.Equal("404 Task not found", await site.StatusesAsync(school.Learner, HttpMethod.Get, $"/tasks/{school.Material}"));
        Assert.DoesNotContain(
            "Later", (await site.GetAsync(school.Learner, $"/courses/{school.Course}")).ToJsonString(), StringComparison.Ordinal);

        await site.SqlAsync($"update learning.tasks set scheduled_publish_at = now() - interval '1 second' where id = {school.Material}");
        Assert.Equal("Later", (string?)(await site.GetAsync(school.Learner, $"/tasks/{school.Material}"))["title"]);
        await using (var scope =
            Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.CreateAsyncScope(site.Host.Services))
        {
            var db = (Stoa.Learning.LearningDb)scope.ServiceProvider.GetService(typeof(Stoa.Learning.LearningDb))!;
            Stoa.Platform.Jobs.JobEnqueueing.Enqueue(db, new Stoa.Learning.Tasks.PublishScheduled());
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }
        await site.Host.RunJobsAsync();
        Assert.Null((await site.GetAsync(school.Owner, $"/tasks/{school.Material}"))["scheduled_publish_at"]);
    }

    [Fact]
    public async Task A_copy_of_a_task_is_a_draft_right_behind_it_with_questions_of_its_own()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var body = new JsonObject { ["task_id"] = school.Material, ["course_id"] = school.Course, ["milestone_id"] = school.First };

        var material = await site.PostAsync(school.Owner, "/tasks/duplicate", body);
        body["task_id"] = school.Quiz;
        var quiz = await site.PostAsync(school.Owner, "/tasks/duplicate", body);

        Assert.Equal((1, "draft"), ((int)material["ordering"]!, (string?)material["task"]!["status"]));
        Assert.Equal(3, (int)quiz["ordering"]!);
        var questions = quiz["task"]!["questions"]!.AsArray();
        Assert.Empty(questions.Select(question => (int)question!["id"]!).Intersect(school.Questions));
        Assert.Equal([null, school.Scorecard], questions.Select(question => (int?)question!["scorecard_id"]));
        var tree = await site.GetAsync(school.Owner, $"/courses/{school.Course}?only_published=false");
        Assert.Equal([school.Material, (int)material["task"]!["id"]!, school.Quiz, (int)quiz["task"]!["id"]!],
            tree["milestones"]![0]!["tasks"]!.AsArray().Select(task => (int)task!["id"]!));
    }

    [Fact]
    public async Task A_quiz_that_two_courses_of_a_cohort_share_has_its_questions_once_in_each()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var other = await site.MakeAsync(school.Owner, "/courses/", new JsonObject { ["name"] = "Rhetoric", ["org_id"] = school.Org });
        await site.MakeAsync(school.Owner, "/courses/", new JsonObject { ["name"] = "Nobody takes it", ["org_id"] = school.Org });
        await site.PostAsync(school.Owner, "/courses/tasks",
            new JsonObject { ["course_tasks"] = new JsonArray(new JsonArray(school.Quiz, other, school.Second)) });
        await site.PostAsync(school.Owner, $"/cohorts/{school.Cohort}/courses", new JsonObject { ["course_ids"] = new JsonArray(other) });

        var trees = (await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/courses?include_tree=true")).AsArray();

        Assert.Equal(["Logic: First 2, Second 1", "Rhetoric: Second 1"], trees.Select(tree => $"{tree!["name"]}: " + string.Join(
            ", ", tree["milestones"]!.AsArray().Select(module => $"{module!["name"]} {module["tasks"]!.AsArray().Count}"))));
        Assert.Equal([2, 2], trees.SelectMany(tree => tree!["milestones"]!.AsArray()).SelectMany(module => module!["tasks"]!.AsArray())
            .Where(task => (int)task!["id"]! == school.Quiz).Select(task => (int)task!["num_questions"]!));
    }

    [Fact]
    public async Task A_copied_course_is_all_drafts_judged_by_scorecards_of_its_new_school()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var target = await site.MakeAsync(
            school.Owner, "/organizations/", new JsonObject { ["name"] = "Two", ["slug"] = "two", ["user_id"] = school.Owner.Id });

        var copy = await site.PostAsync(school.Owner, $"/courses/{school.Course}/duplicate", new JsonObject { ["org_id"] = target });
        var tree = await site.GetAsync(school.Owner, $"/courses/{copy["id"]}?only_published=false");
        var tasks = tree["milestones"]!.AsArray().SelectMany(milestone => milestone!["tasks"]!.AsArray())
            .Select(task => task!.DeepClone()).ToList();

        Assert.Equal("Logic (Copy)", (string?)copy["name"]);
        Assert.All(copy["milestones"]!.AsArray(), milestone => Assert.Empty(milestone!["tasks"]!.AsArray()));
        Assert.Equal(4, tasks.Count);
        Assert.All(tasks, task => Assert.Equal("draft", (string?)task["status"]));
        var scorecards = (await site.GetAsync(school.Owner, $"/scorecards/?org_id={target}"))
            .AsArray().Select(card => (int)card!["id"]!).ToList();
        Assert.Equal(2, scorecards.Count);
        var quiz = await site.GetAsync(school.Owner, $"/tasks/{tasks.Single(task => (string?)task["type"] == "quiz")["id"]}");
        Assert.Contains((int)quiz["questions"]![1]!["scorecard_id"]!, scorecards);
        var assignment = (await site.GetAsync(
            school.Owner, $"/tasks/{tasks.Single(task => (string?)task["type"] == "assignment")["id"]}"))["assignment"]!;
        Assert.Contains((int)assignment["evaluation_criteria"]!["scorecard_id"]!, scorecards);
        var material = tasks.First(task => (string?)task["type"] == "learning_material")["id"]!;
        Assert.Equal($"{material}", (string?)assignment["context"]!["linkedMaterialIds"]![0]);
        Assert.Equal(
            school.Scorecard, (int)(await site.GetAsync(school.Owner, $"/tasks/{school.Quiz}"))["questions"]![1]!["scorecard_id"]!);
    }

    [Fact]
    public async Task Tasks_and_modules_change_places_and_one_that_is_deleted_takes_its_tasks_along()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();

        await site.PutAsync(school.Owner, $"/courses/{school.Course}/tasks/swap",
            new JsonObject { ["task_1_id"] = school.Material, ["task_2_id"] = $"{school.Quiz}" });
        await site.PutAsync(school.Owner, $"/courses/{school.Course}/milestones/swap",
            new JsonObject { ["milestone_1_id"] = school.First, ["milestone_2_id"] = school.Second });
        var tree = (await site.GetAsync(school.Owner, $"/courses/{school.Course}"))["milestones"]!.AsArray();
        Assert.Equal([school.Second, school.First], tree.Select(milestone => (int)milestone!["id"]!));
        Assert.Equal([school.Quiz, school.Material], tree[1]!["tasks"]!.AsArray().Select(task => (int)task!["id"]!));

        await site.DeleteAsync(school.Owner, $"/milestones/{school.Second}");
        var completion = (await site.GetAsync(school.Learner, $"/cohorts/{school.Cohort}/completion?user_id={school.Learner.Id}"))
            .AsObject();
        Assert.Equal([$"{school.Material}", $"{school.Quiz}"], completion.Select(task => task.Key).Order(StringComparer.Ordinal));
        Assert.Equal("403 Forbidden", await site.StatusesAsync(school.Learner, HttpMethod.Get, $"/tasks/{school.Assignment}"));
    }
}
