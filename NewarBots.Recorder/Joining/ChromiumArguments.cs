using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// What Chromium is told beside Playwright's own arguments. Nothing here disguises the browser or weakens what protects it from
/// the page.
/// </summary>
internal static class ChromiumArguments
{
    /// <summary>
    /// The first two lines are ours: a process for nothing but the sound card that is not there, whose late start lets the decoders
    /// fill up; and pages that are kept ready for a user who never comes, which take 50 MiB. The others are from Playwright's own
    /// list, which this argument replaces.
    /// </summary>
    private static readonly string[] DisabledFeatures =
    [
        "AudioServiceOutOfProcess", "InitialWebUI", "WebUIReloadButton", "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess",
        "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
        "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "DialMediaRouteProvider",
        "GlobalMediaControls", "HttpsUpgrades", "LensOverlay", "MediaRouter", "PaintHolding", "Translate", "OptimizationHints",
        "NetworkTimeServiceQuerying", "AimEnabled",
    ];

    /// <summary>
    /// Addresses behind which no meeting lies, but this host, its neighbours and the cloud's metadata: as the browser writes them,
    /// whichever way a page did. In front of a colon is an IPv6 address, also one that is IPv4 in disguise; or a name before its port, which may
    /// begin with the same letters, as one in 128 of those does under which WebRTC hides a page's own address (mDNS).
    /// </summary>
    private static readonly string[] Inside =
    [
        "*.internal", "0.0.0.0", "10.*", "100.100.100.200", "127.*", "169.254.*", "192.168.*",
        .. Enumerable.Range(16, 16).Select(second => $"172.{second}.*"),
        "::*", "64:ff9b:*", "fc??:*", "fd??:*", "fe80:*",
    ];

    public static IEnumerable<string> For(RecorderEnvironment environment)
    {
        yield return "--lang=en-US";
        yield return "--accept-lang=en-US,en";
        yield return $"--window-size={VirtualDisplay.Width},{VirtualDisplay.Height}";
        yield return "--window-position=0,0";
        // The mix has to run although nobody clicks.
        yield return "--autoplay-policy=no-user-gesture-required";
        yield return $"--disable-features={string.Join(',', DisabledFeatures)}";
        if (environment.Browser is BrowserKind.HeadlessShell)
        {
            // Nobody looks at it: no 3D drawing in software, which would take 10 MiB. Pages find no WebGL.
            yield return "--disable-gpu";
            yield return "--disable-software-rasterizer";
        }
        yield return $"--host-resolver-rules={string.Join(',', HostRules(environment))}";
        if (environment.MeetingUrl is { Scheme: "http", IsLoopback: false } url)
            yield return $"--unsafely-treat-insecure-origin-as-secure={url.GetLeftPart(UriPartial.Authority)}";
    }

    /// <summary>The first that fits holds, but what is excluded goes before all: the meeting's own host may lie inside.</summary>
    private static IEnumerable<string> HostRules(RecorderEnvironment environment)
    {
        if (environment.LocalhostIs is { } host)
        {
            yield return $"MAP localhost {host}";
            yield return $"MAP 127.0.0.1 {host}";
        }
        else
        {
            yield return $"EXCLUDE {environment.MeetingUrl.DnsSafeHost}";
        }

        foreach (var pattern in Inside)
            yield return $"MAP {pattern} ~NOTFOUND";
    }
}
