using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>A page with forms. It is shown anew, with what was wrong, where a form could not be taken.</summary>
public abstract class FormPage : ComponentBase
{
    /// <summary>What was wrong with the form that was sent.</summary>
    [Parameter]
    public Failure? Problem { get; set; }

    /// <summary>What the form held, so that nothing has to be typed twice.</summary>
    [Parameter]
    public IReadOnlyDictionary<string, string?> Given { get; set; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    [CascadingParameter]
    public HttpContext Http { get; set; } = default!;

    protected Caller Caller => Http.SignedIn() ?? throw Failure.Unauthenticated("Sign in first");

    protected string? GivenFor(string field) => Given.GetValueOrDefault(field);

    /// <summary>What is wrong with one field.</summary>
    protected string? ProblemWith(string field) =>
        Problem?.Fields.FirstOrDefault(wrong => string.Equals(wrong.Field, field, StringComparison.Ordinal))?.Message;
}
