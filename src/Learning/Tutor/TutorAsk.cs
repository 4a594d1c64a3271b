using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Stoa.Gateway;
using Stoa.Learning.Tasks;

namespace Stoa.Learning.Tutor;

/// <summary>
/// One question to the tutor, ready to be asked: what is known about it, the conversation, and what its answer looks like.
/// </summary>
/// <param name="Prompt">The name of the instructions.</param>
/// <param name="Sections">What the author of the task has written, by the name of its section. Nothing of the learner's is among
/// it.</param>
/// <param name="Turns">The conversation, the latest turn of the learner last.</param>
internal sealed partial record TutorAsk(
    AnswerForm Form, string Prompt, TutorTask Task, IReadOnlyList<(string Name, string Text)> Sections, IReadOnlyList<ModelTurn> Turns)
{
    private const int LongestName = 40;

    /// <summary>The latest turn is a voice.</summary>
    public bool IsSpoken { get; init; }

    /// <summary>Nobody learns from it, so nothing is recorded: the author tries his question.</summary>
    public bool IsPreview { get; init; }

    /// <summary>Instructions and sections as a model reads them.</summary>
    public string InstructionsOf(params IEnumerable<string> prompts) =>
        Write(prompts, [.. Sections, .. Learner()]);

    /// <summary>The same without some of the sections.</summary>
    public string InstructionsWithout(string section, params IEnumerable<string> prompts) =>
        Write(prompts, [.. Sections.Where(one => one.Name != section)]);

    public static IReadOnlyList<(string, string)> OfQuestion(TutorQuestion question) =>
    [
        ("task", TaskText(question)),
        .. question.Type == QuestionType.Objective
            ? [("reference_solution", question.Solution.Length > 0 ? question.Solution : "(none was given: judge by the task)")]
            : new[] { ("scorecard", CriteriaText(question.Criteria ?? [])) },
        (KnowledgeBase, question.KnowledgeBase),
    ];

    public const string KnowledgeBase = "knowledge_base";

    public static IReadOnlyList<(string, string)> OfAssignment(TutorAssignment assignment) =>
    [
        ("problem", assignment.Problem),
        ("key_areas", CriteriaText(assignment.Criteria)),
        ("score_of_the_whole", string.Create(
            CultureInfo.InvariantCulture, $"from {assignment.Range.Min} to {assignment.Range.Max}; {assignment.Range.Pass} passes")),
        (KnowledgeBase, assignment.KnowledgeBase),
    ];

    private static string TaskText(TutorQuestion question) => question.InputType switch
    {
        InputType.Code => $"{question.Text}\n\nThe answer is code{(question.CodingLanguages is { } languages ? $" in {languages}" : "")}.",
        InputType.Audio => $"{question.Text}\n\nThe answer is spoken.",
        InputType.Text or InputType.File => question.Text,
    };

    private static string CriteriaText(IReadOnlyList<Criterion> criteria) =>
        string.Join("\n\n", criteria.Select((criterion, index) => string.Create(
        CultureInfo.InvariantCulture,
        $"{index + 1}. {criterion.Name} (from {criterion.MinScore} to {criterion.MaxScore}; {criterion.PassScore} passes)\n{criterion.Description}")));

    // A name is what somebody has chosen to call himself: letters, or nothing.
    private IEnumerable<(string, string)> Learner() =>
        Task.FirstName is { Length: > 0 and <= LongestName } name && Name().IsMatch(name) ? [("first_name_of_the_learner", name)] : [];

    private static string Write(IEnumerable<string> prompts, IEnumerable<(string Name, string Text)> sections)
    {
        var text = new StringBuilder();
        text.AppendJoin("\n\n", prompts);
        foreach (var (name, content) in sections.Where(section => section.Text.Length > 0))
        {
            // No text ends its section by itself.
            text.Append("\n\n<").Append(name).Append(">\n")
                .Append(content.Replace($"</{name}>", $"</ {name}>", StringComparison.OrdinalIgnoreCase))
                .Append("\n</").Append(name).Append('>');
        }
        return text.ToString();
    }

    [GeneratedRegex(@"^[\p{L}\p{M}][\p{L}\p{M}' .-]*$", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
