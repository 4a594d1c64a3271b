using System.Net;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Notifications;

/// <summary>A request of a job to somebody else's service; what its answer means for the job.</summary>
public static class JobPost
{
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(5);

    /// <param name="who">As the job's history names the service. Its address may be a secret, and is not told.</param>
    public static async Task SendAsync(HttpClient http, HttpRequestMessage request, string who, TimeProvider time, CancellationToken ct)
    {
        using var answer = await AskAsync(http, request, who, ct);
        if (answer.IsSuccessStatusCode)
        {
            return;
        }
        throw answer.StatusCode switch
        {
            HttpStatusCode.TooManyRequests => JobFailure.RetryAfter(AskedWait.Of(answer, time) ?? ShortWait, $"{who} asks to wait"),
            HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError =>
                new HttpRequestException($"{who} answered with status {(int)answer.StatusCode}"),
            _ => JobFailure.Dead($"{who} answered with status {(int)answer.StatusCode}"),
        };
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, HttpRequestMessage request, string who, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, ct);
        }
        catch (Failure failure)
        {
            throw JobFailure.RetryAfter(failure.RetryAfter ?? ShortWait, failure.Message, failure);
        }
        catch (HttpRequestException error)
        {
            throw new HttpRequestException($"{who} cannot be reached", error);
        }
    }
}
