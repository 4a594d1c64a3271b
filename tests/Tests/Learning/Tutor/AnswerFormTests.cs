using System.Text.Json.Nodes;
using Stoa.Learning.Tutor;

namespace Stoa.Tests.Learning.Tutor;

public sealed class AnswerFormTests
{
    private static readonly Criterion[] Criteria = [new("Depth", "", 0, 10, 6), new("Clarity", "", 1, 4, 3)];

    private static readonly AssignmentForm Talk =
        new(Criteria, new(0, 100, 60), isFile: false, earlier: new JsonObject { ["Depth"] = Row(9) });

    [Fact]
    public void An_assignment_is_not_complete_while_a_key_area_has_no_score()
    {
        var form = new AssignmentForm(Criteria, new(0, 100, 60), isFile: false);

        var line = form.Line(Come("completed", new JsonObject { ["Depth"] = Row(9) }));

        Assert.Equal("in_progress", (string?)line["evaluation_status"]);
        Assert.Null(form.IsPassed(line));
    }

    [Fact]
    public void What_was_scored_before_stays_scored()
    {
        var line = Talk.Line(Come("completed", new JsonObject { ["Clarity"] = Row(2), ["Depth"] = null }));

        Assert.Equal("completed", (string?)line["evaluation_status"]);
        Assert.Equal(
            (9, 2), ((double)line["key_area_scores"]!["Depth"]!["score"]!, (double)line["key_area_scores"]!["Clarity"]!["score"]!));
        Assert.False(Talk.IsPassed(line));
    }

    [Fact]
    public void An_unknown_status_is_in_progress_and_one_that_has_not_come_is_none()
    {
        Assert.Equal("in_progress", (string?)Talk.Line(Come("wonderful", null))["evaluation_status"]);
        Assert.Null(Talk.Line([])["evaluation_status"]);
    }

    [Fact]
    public void The_score_of_a_file_has_both_of_its_names_and_stays_in_its_range()
    {
        var come = Come("in_progress", null);
        come["assignment_score"] = 250d;

        var line = new AssignmentForm(Criteria, new(0, 100, 60), isFile: true).Line(come);

        Assert.Equal((100, 100), ((double)line["assignment_score"]!, (double)line["project_score"]!));
    }

    [Fact]
    public void A_scorecard_that_lacks_a_criterion_is_none()
    {
        var form = new SubjectiveForm(Criteria);

        var line = form.Line(new() { ["feedback"] = "f", ["scorecard"] = new JsonObject { ["Depth"] = Row(9) } });

        Assert.Null(line["scorecard"]);
        Assert.Null(form.IsPassed(line));
    }

    [Fact]
    public void Older_criteria_pass_at_their_highest_score_and_names_lose_their_quotes()
    {
        var read = Criterion.Read("""[{"name":"A \"b\"","description":"d","min_score":1,"max_score":4}]""");

        Assert.Equal([new("A b", "d", 1, 4, 4)], read);
    }

    [Fact]
    public void Schemas_are_strict_and_name_every_criterion()
    {
        var schema = JsonNode.Parse(new SubjectiveForm(Criteria).Schema.GetRawText())!;

        Assert.False((bool)schema["additionalProperties"]!);
        Assert.Equal(
            ["Depth", "Clarity"],
            schema["properties"]!["scorecard"]!["anyOf"]![0]!["properties"]!.AsObject().Select(property => property.Key));
    }

    private static JsonObject Row(double score) =>
        new() { ["feedback"] = new JsonObject { ["correct"] = "c", ["wrong"] = "w" }, ["score"] = score };

    private static JsonObject Come(string status, JsonObject? rows) => new()
    {
        ["chain_of_thought"] = "t", ["feedback"] = "f", ["evaluation_status"] = status,
        ["key_area_scores"] = rows, ["current_key_area"] = null,
    };
}
