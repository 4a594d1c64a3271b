using System.ComponentModel.DataAnnotations;

namespace Stoa.Learning.Organizations;

/// <summary>Section <c>Learning:Schools</c>: what somebody may have who has done nothing but sign in.</summary>
internal sealed class SchoolOptions
{
    public const string Section = "Learning:Schools";

    /// <summary>How many schools one person may own; those who run the installation as many as they like. 0 for no limit.</summary>
    [Range(0, 1_000_000)]
    public int MaxPerPerson { get; set; } = 10;

    /// <summary>US dollars that a school may spend in a month with the installation's keys of model providers; 0 for no limit.</summary>
    [Range(0.0, 1_000_000.0)]
    public decimal MonthlyBudget { get; set; } = 20;
}
